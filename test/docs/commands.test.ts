// The commands of the documents work as they stand there: each page is followed from its first block to its last, beside a
// service of its own. Blocks that need what a test may not have say so, and test/docs/blocks.test.ts looks at what they say.
import t from 'tap'
import { realEngines } from '../helper/engines.ts'
import { pages } from './markdown.ts'
import { follow, isPasted } from './story.ts'

for (const page of pages.filter(({ blocks }) => blocks.some(isPasted))) {
  await t.test(`${page.file}: each command works, after those before it`, async (t) => {
    await follow(t, page)
    const left = page.blocks.filter((block) => isPasted(block) && block.remarks.has('needs'))
    if (!realEngines && left.length > 0) t.pass('on real engines', { skip: `${left.length} blocks need MongoDB and Redis: set REDIS_URL and MONGODB_URI` })
  })
}
