// Console: what the page is made with. Text goes into the page as text, never as markup.

type Child = Node | string | false

/** The element of the page with this id. */
export function by<E extends HTMLElement = HTMLElement> (id: string): E {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`the page has no #${id}`)
  return found as E
}

/** A new element, its properties set. */
export function make<K extends keyof HTMLElementTagNameMap> (tag: K, properties: Partial<HTMLElementTagNameMap[K]> = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(tag), properties)
  element.append(...children.filter((child) => child !== false))
  return element
}

/** A bar as long as its share of the row. @param share from 0 to 1 */
export function makeBar (share: number, className: string): SVGSVGElement {
  const namespace = 'http://www.w3.org/2000/svg'
  const [bar, whole] = [document.createElementNS(namespace, 'rect'), document.createElementNS(namespace, 'svg')]
  for (const [name, value] of Object.entries({ width: `${share * 100}%`, height: '100%', rx: '3', class: className })) bar.setAttribute(name, value)
  whole.setAttribute('aria-hidden', 'true')
  whole.append(bar)
  return whole
}

/** What a form holds, without what was left empty. @param asWritten names of fields whose spaces count */
export const textsOf = (form: HTMLFormElement, asWritten: readonly string[] = []): Record<string, string> =>
  Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, asWritten.includes(name) ? String(value) : String(value).trim()] as const).filter(([, value]) => value !== ''))

let language: string | undefined

/** Times are written as this language does. @param tag BCP 47; one that the browser does not know changes nothing */
export function speak (tag: string): void {
  try {
    if (Intl.DateTimeFormat.supportedLocalesOf(tag).length > 0) language = tag
  } catch { /* no tag at all */ }
}

/** @param instant ISO 8601 */
export function makeTime (instant: string): HTMLTimeElement {
  const date = new Date(instant)
  const text = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(date)
  return make('time', { dateTime: instant, title: date.toISOString(), textContent: text })
}

/** `95` -> `1:35`, with hours where there are any. */
export function clockText (seconds: number): string {
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60]
  const two = (count: number): string => String(count).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}

export const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`
