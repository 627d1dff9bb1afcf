# The service as an image: built in one stage, run in another without compilers, package manager or development packages, as
# a user who owns nothing. The tag takes Node's security fixes with each build; for a build that can be repeated to the byte:
# docker build --build-arg NODE_IMAGE=node:22-bookworm-slim@sha256:...
ARG NODE_IMAGE=node:22-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY src src
COPY plugins plugins
COPY routes routes
COPY client client
COPY console console
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM ${NODE_IMAGE}
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn* /opt/yarn*
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
# the user `node`, as a number: an orchestrator that insists on no root cannot look names up
USER 1000:1000
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=2s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# no shell and no npm in between: SIGTERM reaches the process, which answers what is in flight and ends; the flag is docs/decisions/0027
CMD ["node", "--no-memory-reducer", "--enable-source-maps", "dist/src/server.js"]
