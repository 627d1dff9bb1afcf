// What must hold, row by row: section 2 of the requirements, which tests name by its ids and docs/security.md shows.
// `test/guard/rows.test.ts` holds tests, page and list together.

export interface Row {
  readonly id: string
  /** M must, S should. */
  readonly level: 'M' | 'S'
  readonly requirement: string
  readonly source: string
  /** What of the row is tested in another way than it says, or not at all, and why. */
  readonly exception?: string
}

const row = (id: string, level: Row['level'], requirement: string, source: string, exception?: string): Row =>
  ({ id, level, requirement, source, ...(exception !== undefined && { exception }) })

/** Ids at the beginning of the name of a test, each with a space behind it. */
export const rowIdsOf = (name: string): string[] => (/^(?:[A-K]\d{1,2} )+/.exec(name)?.[0] ?? '').split(' ').filter((id) => id !== '')

export const rows: readonly Row[] = [
  row('A1', 'M', 'Register makes the account and a session; nothing else can be set', 'ASVS 15.3.3'),
  row('A2', 'M', 'No answer repeats a password, validation errors included', 'ASVS 15.3.1, 16.5.1'),
  row('A3', 'M', 'The least length counts characters and holds at register and change', 'ASVS 6.2.1; NIST SP 800-63B'),
  row('A4', 'M', '64 characters are taken and each counts', 'ASVS 6.2.8, 6.2.9'),
  row('A5', 'M', 'Nothing is cut at 72 bytes, NUL does not end a password', 'ASVS 6.2.8; node.bcrypt.js'),
  row('A6', 'M', 'No rules of composition', 'ASVS 6.2.5; NIST SP 800-63B'),
  row('A7', 'M', 'Common passwords and those of the context are refused with a reason', 'ASVS 6.2.4, 6.2.11; NIST SP 800-63B'),
  row('A8', 'M', 'Absurd lengths are refused before they are hashed', 'OWASP Password Storage'),
  row('A9', 'M', 'Address and username are unique in every spelling, also at the same moment', 'ASVS 15.4.2'),
  row('A10', 'S', 'Registration tells no more of who exists than is documented', 'ASVS 6.3.8'),
  row('A11', 'M', 'bcrypt of the configured cost, older costs upgraded at login', 'ASVS 11.4.2'),

  row('B1', 'M', 'Wrong password and unknown account are one answer', 'ASVS 6.3.8'),
  row('B2', 'M', 'and take the same time', 'ASVS 6.3.8'),
  row('B3', 'M', 'Every login is a new session', 'ASVS 7.2.4'),
  row('B4', 'M', 'An operator object is no query', 'ASVS 1.2.4; mongoose CVEs'),
  row('B5', 'M', 'Failed attempts are limited by account and by address', 'ASVS 6.3.1; NIST SP 800-63B'),
  row('B6', 'M', 'Attempts are counted before they are hashed: parallel ones do not pass', 'CVE-2024-4629'),
  row('B7', 'M', 'No header and no spelling keys a limit away', 'ASVS 15.3.4; CVE-2026-108162'),
  row('B8', 'M', 'Nobody locks an owner out for good', 'ASVS 6.1.1'),
  row('B9', 'M', 'The limits outlive Redis', 'ASVS 16.5.2, 16.5.3'),
  row('B10', 'M', 'An outage is not "invalid credentials"', 'design'),
  row('B11', 'M', 'A flood of logins does not starve the rest', 'ASVS 15.2.2'),

  row('C1', 'M', 'Only well signed tokens of the one algorithm', 'RFC 8725 3.1, 3.3; ASVS 9.1.1, 9.1.2'),
  row('C2', 'M', 'A header brings neither keys nor extensions', 'ASVS 9.1.3; RFC 7515 4.1.11; CVE-2026-35042'),
  row('C3', 'M', 'Times are enforced', 'ASVS 9.2.1'),
  row('C4', 'M', 'Issuer and audience are exact texts', 'RFC 8725 3.8, 3.9; CVE-2025-30144'),
  row('C5', 'M', 'The payload is an object with texts for sub, sid, jti', 'CVE-2026-107723'),
  row('C6', 'M', 'One kind of token is not another', 'RFC 8725 3.11, 3.12; ASVS 9.2.2'),
  row('C7', 'M', 'A kid chooses from a fixed table only', 'RFC 8725 3.10; CVE-2026-44351'),
  row('C8', 'M', 'Keys change without logging anybody out', 'ASVS 13.3.4'),
  row('C9', 'M', 'A signature is not enough, the session must exist; a token holds nothing personal', 'seed 000'),
  row('C10', 'M', 'Tokens stand in their headers or cookie, never in the address or a body', 'ASVS 14.2.1'),
  row('C11', 'M', 'The scheme is read strictly; the challenge has an error only when a token was sent', 'RFC 9110; RFC 6750 3.1'),

  row('D1', 'M', 'A refresh gives a new pair and spends the old token', 'ASVS 10.4.5'),
  row('D2', 'M', 'A retry within the grace gets the same successor; parallel refreshes cannot fork', 'FAPI 2.0; CVE-2026-1035, CVE-2026-53517'),
  row('D3', 'M', 'Reuse after the grace ends that session and no other', 'RFC 9700 4.14.2; ASVS 10.4.5', 'the time of the rotation is moved in the database, whose clock decides, instead of waiting twelve seconds'),
  row('D4', 'M', 'A tampered refresh token is invalid and nothing else', 'design'),
  row('D5', 'M', 'An expired one is refused though its document still stands', 'MongoDB: TTL indexes run late'),
  row('D6', 'M', 'The absolute end is not moved by refreshing', 'ASVS 7.3.2, 10.4.8'),
  row('D7', 'M', 'No credential can be read out of the stores', 'ASVS 14.2; seed 002'),
  row('D8', 'M', 'A refresh token counts at its doors and by POST only', 'ASVS 3.5.3'),
  row('D9', 'M', 'An outage is no verdict', 'design'),
  row('D10', 'M', 'Refreshing works with a pool of one connection', 'SuperTokens'),

  row('E1', 'M', 'Logout kills both tokens of the session on every instance', 'ASVS 7.4.1'),
  row('E2', 'M', 'Logout may be repeated and forgives dead tokens', 'RFC 7009 2.2'),
  row('E3', 'M', 'Logout-all ends every session of this user and of nobody else', 'seed 002'),
  row('E4', 'M', 'A revocation that was acknowledged is durable', 'ASVS 16.5.3'),
  row('E5', 'M', 'The list shows the own live sessions, the current one marked, no secrets', 'ASVS 7.5.2'),
  row('E6', 'M', 'One session can be ended; others\' ids are not there', 'ASVS 8.2.2'),
  row('E7', 'M', 'A change of password needs the current one and ends all sessions', 'ASVS 6.2.3, 7.4.3; seed 002'),
  row('E8', 'M', 'Sessions of a user have a cap', 'ASVS 7.1.2'),
  row('E9', 'M', 'A removed user is out', 'ASVS 7.4.2'),
  row('E10', 'M', 'Security events are logged, secrets are not', 'ASVS 16.2.5, 16.3.1'),

  row('F1', 'M', 'Attributes of cookies, nothing twice in the body, cleared at logout', 'ASVS 3.3.1 to 3.3.4; RFC 6265bis'),
  row('F2', 'M', 'No cookie is larger than 4096 bytes', 'ASVS 3.3.5'),
  row('F3', 'M', 'A cookie with a wrong signature is no cookie', 'seed 001'),
  row('F4', 'M', 'Other sites change nothing by cookie, whatever the type of the body', 'ASVS 3.5.1, 3.5.2'),
  row('F5', 'M', 'Other sites sign nobody in', 'ASVS 3.5.1'),
  row('F6', 'M', 'CORS is a list; a bearer token is not refused for its origin', 'ASVS 3.4.2'),
  row('F7', 'M', 'Ids change at login, ids of strangers are never adopted', 'ASVS 7.2.4; CVE-2023-29019'),
  row('F8', 'M', 'Ids are random, 128 bits at least', 'ASVS 7.2.3, 11.5.1'),

  row('G1', 'M', 'A visit begins, goes on, idles and ends as told', 'seed 001; ASVS 7.3'),
  row('G2', 'M', 'No page is lost when many come at once', 'connect-redis 75'),
  row('G3', 'M', 'Visits are bounded', 'ASVS 2.4.1'),
  row('G4', 'M', 'Each visit is archived once', 'seed 001'),
  row('G5', 'M', 'Preferences are a closed form', 'ASVS 15.3.3'),
  row('G6', 'M', 'Users\' preferences are in MongoDB, guests\' in their cookie, never mixed', 'seed 001'),
  row('G7', 'M', 'Guests who only look create nothing', 'ASVS 2.4.1'),

  row('H1', 'M', 'The own profile only, listed fields only', 'ASVS 15.3.1'),
  row('H2', 'M', 'Changes by a list of fields, fresh on every instance', 'ASVS 15.3.3; seed 002'),
  row('H3', 'M', 'Uploads have a size', 'ASVS 5.2.1'),
  row('H4', 'M', 'and a type, by their content', 'ASVS 5.2.2'),
  row('H5', 'M', 'The name that the client gives a file is never used', 'ASVS 5.3.2'),
  row('H6', 'M', 'Pictures are served safely', 'ASVS 3.2.1, 3.4.4'),
  row('H7', 'M', 'A picture is replaced as a whole, one a user', 'ASVS 5.2.4'),
  row('H8', 'M', 'Uploads need a session, and the check of the origin', 'OWASP File Upload'),
  row('H9', 'M', 'One file, in its field', 'CVE-2023-25576'),
  row('H10', 'M', 'Pictures are on every instance', 'design'),
  row('H11', 'S', 'Metadata is taken out', 'ASVS 14.2.8'),

  row('I1', 'M', 'Prototype keys are refused', 'ASVS 15.3.6'),
  row('I2', 'M', 'Bodies have a size and a depth', 'OWASP REST Security'),
  row('I3', 'M', 'and a type; broken JSON is 400, no body is fine where none is needed', 'OWASP REST Security'),
  row('I4', 'M', 'Methods that are not there are refused', 'ASVS 4.1.4, 13.4.4'),
  row('I5', 'M', 'Slow clients are cut', 'Fastify'),
  row('I6', 'M', 'Odd, large and many headers break nothing', 'CVE-2026-21710, CVE-2026-73418', 'a header that no door reads (`__proto__`) is a value like any other and refuses nothing'),
  row('I7', 'M', 'Addresses that are none are refused in our shape', 'Fastify'),
  row('I8', 'M', 'No request is smuggled behind another', 'ASVS 4.2.1'),
  row('I9', 'M', 'A request id is bounded and clean', 'ASVS 16.4.1'),
  row('I10', 'M', 'Unknown and doubled query parameters change no type', 'ASVS 15.3.7'),

  row('J1', 'M', 'One shape of failures, with the headers that they owe', 'RFC 9457; RFC 9110', 'no door sends a 422'),
  row('J2', 'M', 'Nothing of the inside is told', 'ASVS 13.4.6, 16.5.1'),
  row('J3', 'M', 'Security headers on every answer', 'OWASP REST Security'),
  row('J4', 'M', 'The OpenAPI document is true, and can be switched off', 'ASVS 13.4.5'),
  row('J5', 'M', 'Health tells no secrets and does not hang', 'ASVS 13.4.5'),

  row('K1', 'M', 'No start with missing, weak, known or equal secrets', 'ASVS 13.2.3; CVE-2026-44351, CVE-2026-107720'),
  row('K2', 'M', 'A store that is away at the start is waited for', 'ASVS 16.5.2'),
  row('K3', 'M', 'SIGTERM lets what was accepted come to its end', 'ASVS 16.5.3'),
  row('K4', 'M', 'Jobs run once, and move when their holder dies', 'seed 002'),
  row('K5', 'M', 'Memory is bounded', 'ASVS 15.2.2', 'an hour is too long for the suite: small bounds are overrun many times instead, and memory is looked at from the first overrun to the last'),
  row('K6', 'M', 'Mounted, nothing of the host changes', 'plugin mode')
]
