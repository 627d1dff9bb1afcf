// Which engines this run of the tests uses. REDIS_URL and MONGODB_URI choose real ones (`.ci/real-engines/engines.sh run`
// sets them); without them the embedded default is tested. REAL_ENGINES names the script that can start more of them.

/** Address of a real MongoDB for this run, or undefined for the embedded store. */
export const mongodbUri = process.env['MONGODB_URI'] || undefined

/** Address of a real Redis for this run, or undefined for the in-process ports. */
export const redisUrl = process.env['REDIS_URL'] || undefined

/** Path of the engines script, for the stories that start and kill engines of their own; undefined leaves them out. */
export const enginesScript = process.env['REAL_ENGINES'] || undefined

export const realEngines = mongodbUri !== undefined && redisUrl !== undefined
