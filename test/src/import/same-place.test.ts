// Whether two addresses are one database.
import { MongoClient } from 'mongodb'
import t from 'tap'
import { isSamePlace, placeOf } from '../../../src/import/same-place.ts'

const isSame = (one: string, other: string): boolean => {
  const [a, b] = [one, other].map((uri) => new MongoClient(uri)).map((client) => placeOf(client, client.db().databaseName)) as [ReturnType<typeof placeOf>, ReturnType<typeof placeOf>]
  return isSamePlace(a, b) && isSamePlace(b, a)
}

await t.test('one database, however it is spelled', async (t) => {
  const uri = 'mongodb://localhost:27017/app'
  for (const other of ['mongodb://localhost/app', 'mongodb://127.0.0.1/app', 'mongodb://[::1]:27017/app', 'mongodb://user:pw@LOCALHOST/App?authSource=admin', 'mongodb://db1.example,127.0.0.1/app?replicaSet=rs0']) t.ok(isSame(uri, other), other)
  t.ok(isSame('mongodb://a.example,b.example/x?replicaSet=r', 'mongodb://b.example/x?directConnection=true'))
  t.ok(isSame('mongodb://localhost', 'mongodb://127.0.0.1/test'), 'the driver\'s default')
  t.ok(isSame('mongodb+srv://c.example.net/app', 'mongodb+srv://u:p@c.example.net/app'))
})

await t.test('two databases', async (t) => {
  for (const [one, other] of [['mongodb://h/a', 'mongodb://h/b'], ['mongodb://h/a', 'mongodb://i/a'], ['mongodb://h:1/a', 'mongodb://h:2/a'], ['mongodb+srv://c.example.net/a', 'mongodb+srv://d.example.net/a'], ['mongodb+srv://c.example.net/a', 'mongodb://h/a']] as const) t.notOk(isSame(one, other), `${one} ${other}`)
})
