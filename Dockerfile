# One image for both groups of fly.toml, whose [processes] replace CMD.
FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
COPY scripts/mend-postgres.mjs scripts/mend-postgres.mjs
# Optional are the Postgres binaries of the tests.
RUN npm ci --omit=dev --omit=optional --ignore-scripts && node scripts/mend-postgres.mjs

FROM node:24-slim
# The same version as the npm package `deno` in package.json.
COPY --from=denoland/deno:bin-2.9.5 /deno /usr/local/bin/deno
ENV NODE_ENV=production DENO_NO_UPDATE_CHECK=1 DENO_DIR=/tmp/deno
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json deno.json ./
COPY migrations ./migrations
COPY tasks ./tasks
COPY src ./src
USER node
EXPOSE 8080
# Exec form: neither npm nor a shell stands between the platform's SIGTERM and the process.
CMD ["node", "src/entry/api.ts"]
