// Cells that need what is not here, and how they are run where it is.
import type { ElsewhereCell } from './cell.ts'

export const elsewhereCells: ElsewhereCell[] = [
  {
    id: 'F-M8',
    fault: 'failover of MongoDB, a primary that steps down',
    needs: 'a replica set of mongod',
    how: 'mongod --replSet rs0 --setParameter enableTestCommands=1, two instances with its URI, then mongosh: rs.stepDown(15, 10), or db.adminCommand({ configureFailPoint: "failCommand", mode: { times: 3 }, data: { failCommands: ["update", "findAndModify"], errorCode: 10107 } })'
  },
  {
    id: 'F-M9',
    fault: 'writes hang, reads go on',
    needs: 'mongod',
    how: 'mongosh: db.fsyncLock(), check that logins and logouts are 503 within 5 s and checks 200, db.fsyncUnlock()'
  },
  {
    id: 'F-M10',
    fault: 'the disk of MongoDB is full',
    needs: 'root, for a file system of its own',
    how: 'mount -t tmpfs -o size=256m tmpfs DIR; mongod --dbpath DIR; fill it with dd until writes fail; writes must be 503 and nothing half written; free it and restart mongod'
  },
  {
    id: 'F-M11',
    fault: 'expired documents are not deleted (TTL monitor off)',
    needs: 'nothing more: the engine of this run has no TTL monitor, so every cell and every story on real engines is played this way',
    how: 'on mongod: --setParameter ttlMonitorEnabled=false, then npm test with its MONGODB_URI'
  }
]
