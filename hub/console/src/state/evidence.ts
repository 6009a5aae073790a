/// What a finding of supervision rests on, as a person reads it: codes by their names, fen as yuan.
import { yuan } from '@/text/format'
import { zh } from '@/text/zh'
import { nameIn, officeName, type Catalogue, type SupervisionCatalogue } from './catalogue'

const texts = zh.supervision
const none = '—'

/// The code lists that facts are told by.
export interface Names {
  readonly codes: Catalogue
  readonly supervision: SupervisionCatalogue
}
type Codes = readonly { code: string; name_zh: string }[]

const lists: Record<string, (names: Names) => Codes> = {
  matter_type: ({ codes }) => codes.matter_types,
  foreign_relation: ({ codes }) => codes.foreign_relations,
  state: ({ codes }) => codes.case_states,
  wanted: ({ supervision }) => supervision.filing_kinds.map(({ kind, name_zh }) => ({ code: kind, name_zh })),
  reason_code: ({ supervision }) => supervision.reason_codes,
  not_licensed: ({ supervision }) => supervision.facts,
  relation: ({ supervision }) => supervision.relations,
  real_estate: ({ codes }) => codes.districts,
  parties: ({ codes }) => codes.districts,
  cities: ({ codes }) => codes.districts,
  practice_area: ({ codes }) => codes.districts,
}

/// As they are read: what was, what should have been, and what it was measured by; not by the names of the fields.
export function inOrder(facts: Record<string, unknown>, { supervision }: Names): [string, unknown][] {
  const order = supervision.facts.map(({ code }) => code)
  const place = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length)
  return Object.entries(facts).sort(([one], [other]) => place(one) - place(other))
}

export const factName = (name: string, { supervision }: Names): string => nameIn(supervision.facts, name)

/// A fact's value; one that nobody has named is shown as it came.
export function factText(name: string, value: unknown, names: Names): string {
  if (value == null || value === '' || (Array.isArray(value) && !value.length)) return none
  if (Array.isArray(value)) return value.map((one) => factText(name, one, names)).join('、')
  if (typeof value === 'object') return joined(value, names)
  if (typeof value === 'boolean') return value ? texts.yes : texts.no
  if (typeof value === 'number') return figure(name, value)
  const text = String(value)
  if (name === 'refused_by') return officeName(text)
  // The beginning of a district's code stands for all that begin so: 3301 is the city.
  const code = /^[0-9]{2,6}$/.test(text) ? text.padEnd(6, '0') : text
  const named = lists[name]?.(names).find((one) => one.code === code)
  return named?.name_zh ?? text
}

function figure(name: string, value: number): string {
  if (name.endsWith('_fen')) return `${yuan(value)} 元`
  if (name === 'parties') return texts.partiesInAll(value)
  // Parties are counted from 0 on the wire.
  return name === 'party' ? texts.partyAt(value + 1) : String(value)
}

/// A party and what is said of it.
function joined(facts: object, names: Names): string {
  const [first = none, ...others] = Object.entries(facts).map(([name, value]) => factText(name, value, names))
  return others.length ? `${first}（${others.join('，')}）` : first
}
