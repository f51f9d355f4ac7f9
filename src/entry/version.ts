import process from 'node:process';
import manifest from '../../package.json' with { type: 'json' };

/** Version of the package and commit of the build (`CANONRY_GIT_COMMIT`, set by the image). */
export const version: string = manifest.version;
export const gitCommit: string = process.env['CANONRY_GIT_COMMIT'] ?? 'unknown';
