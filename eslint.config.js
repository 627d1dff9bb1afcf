// The house rules that a linter can hold: neostandard's style, promises that nobody forgets, and the one direction of
// imports (docs/decisions/0001). test/guard/imports.test.ts holds the order of the rooms.
import neostandard, { plugins } from 'neostandard'

const { parser, plugin } = plugins['typescript-eslint']
const rooms = ['src/*/**/*.ts', 'src/errors.ts']

export default [
  // what is built and what is made (client/api-types.ts by openapi-typescript) has the style of its maker
  ...neostandard({ ts: true, ignores: ['dist', 'dist.*', 'client/api-types.ts', 'node_modules', '.tap', '.latchkey'] }),
  {
    files: ['**/*.ts'],
    languageOptions: { parser, parserOptions: { projectService: true } },
    plugins: { '@typescript-eslint': plugin },
    rules: {
      '@typescript-eslint/no-redeclare': 'off', // a schema and its type share a name; the compiler refuses real redeclarations
      'no-void': ['error', { allowAsStatement: true }], // marks a promise that nobody waits for, on purpose
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }]
    }
  },
  {
    files: rooms,
    rules: {
      'no-restricted-imports': ['error', {
        patterns: [
          { group: ['fastify', 'fastify-plugin', '@fastify/*', '!@fastify/busboy'], message: 'A room never sees Fastify.' }, // busboy reads bytes, whoever serves them
          { group: ['**/plugins/**', '**/routes/**'], message: 'Rooms are called by sockets and doors, not the other way round.' }
        ]
      }],
      'no-restricted-properties': ['error',
        { object: 'process', property: 'env', message: 'Configuration comes through the door.' },
        { object: 'Date', property: 'now', message: 'Time comes through the door: use a Clock.' },
        { object: 'performance', property: 'now', message: 'Time comes through the door: use a Clock.' },
        { object: 'Math', property: 'random', message: 'Chance comes through the door.' }
      ],
      'no-restricted-syntax': ['error', { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: 'Time comes through the door: use a Clock.' }]
    }
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      'no-restricted-properties': ['error', ...['mockImport', 'mockRequire', 'mockAll'].map((property) => ({ property, message: 'Tests speak with the real thing; tap\'s mocking is not loaded (test/quick-hooks.mjs).' }))]
    }
  },
  {
    files: ['plugins/**/*.ts', 'routes/**/*.ts'],
    rules: {
      'no-restricted-properties': ['error', { object: 'process', property: 'env', message: 'Configuration comes through the door.' }]
    }
  },
  {
    files: ['routes/**/*.ts'],
    rules: {
      'no-restricted-imports': ['error', {
        patterns: [{ group: ['**/plugins/**', 'mongodb', 'ioredis', '@fastify/mongodb', '@fastify/redis'], message: 'A door calls services; it never sees a socket, a client or a repository.' }]
      }]
    }
  }
]
