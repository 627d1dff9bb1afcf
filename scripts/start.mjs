// `npm start`: builds if the sources are newer than dist/, then becomes the service.
import { buildIfNewer } from './build.mjs'

buildIfNewer()
process.setSourceMapsEnabled(true)
await import('../dist/src/server.js')
