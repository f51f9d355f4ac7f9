import fs from 'node:fs';
import path from 'node:path';
import { parse } from 'smol-toml';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { project } from '../tidy/modules.ts';
import { flySchema } from './fly-schema.ts';

const read = (file: string) => fs.readFileSync(path.join(project, file), 'utf8');
const text = read('fly.toml');
const fly = v.parse(flySchema, parse(text));

describe('the schema', () => {
  it.each([
    ['kill_timeout = 30', 'kill_timeout = 900'],
    ['auto_stop_machines = "stop"', 'auto_stop_machines = true'],
    ['min_machines_running', 'min_machine_running'],
    ['CANONRY_WORKER_HEALTH_PORT', 'FLY_HEALTH_PORT'],
  ])('would notice %s → %s', (right, wrong) => {
    expect(text).toContain(right);
    expect(v.is(flySchema, parse(text.replace(right, wrong)))).toBe(false);
  });
});

describe('fly.toml', () => {
  it('names only process groups that exist', () => {
    const named = [fly.http_service, ...Object.values(fly.checks), ...fly.restart, ...fly.vm];
    expect(new Set(named.flatMap(({ processes }) => processes))).toEqual(
      new Set(Object.keys(fly.processes)),
    );
  });

  it('runs files that exist and that the image holds', () => {
    const commands = [fly.deploy.release_command, ...Object.values(fly.processes)];
    const image = read('Dockerfile');
    for (const command of commands) {
      const file = command.split(' ').at(-1) ?? '';
      expect(fs.existsSync(path.join(project, file)), file).toBe(true);
      expect(image).toContain(`COPY ${file.split('/')[0]} `);
    }
  });

  it('checks the ports on which the processes listen', () => {
    const config = loadConfig(fly.env);
    expect(config.HOST).toBe('0.0.0.0');
    expect(fly.http_service.internal_port).toBe(config.PORT);
    expect(fly.checks['api_alive']?.port).toBe(config.PORT);
    expect(fly.checks['worker_ready']?.port).toBe(config.CANONRY_WORKER_HEALTH_PORT);
  });

  it('gives a clean stop its time before the kill', () => {
    const limit = /deadlineMs = ([\d_]+)/.exec(read('src/entry/shutdown.ts'))?.[1];
    expect(fly.kill_signal).toBe('SIGTERM');
    expect(fly.kill_timeout * 1000).toBeGreaterThan(Number(limit?.replaceAll('_', '')));
  });

  it('runs the API with the permissions of deno.json, but without writing', () => {
    const { tasks } = JSON.parse(read('deno.json')) as { tasks: { api: { command: string } } };
    expect(fly.processes['api']).toBe(
      tasks.api.command.replace('node_modules/.bin/', '').replace(' --allow-write=.canonry', ''),
    );
  });
});

describe('the Dockerfile', () => {
  it('takes the Deno that the tests run', () => {
    const manifest = JSON.parse(read('package.json')) as { devDependencies: { deno: string } };
    expect(read('Dockerfile')).toContain(`denoland/deno:bin-${manifest.devDependencies.deno} `);
  });

  it('takes what .dockerignore lets through', () => {
    const allowed = read('.dockerignore').split('\n');
    const copied = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.*) \S+$/gm)]
      .flatMap(([, names = '']) => names.split(' '))
      .map((name) => `!${name}`);
    expect(copied.filter((name) => !allowed.includes(name))).toEqual([]);
  });
});
