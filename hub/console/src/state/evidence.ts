/// What a finding of supervision rests on, as a person reads it: codes by their names, fen as yuan.
import { yuan } from '@/text/format'
import { zh } from '@/text/zh'
import { officeName, type Catalogue } from './catalogue'

const texts = zh.supervision
const none = '—'

const lists: Record<string, 'matter_types' | 'foreign_relations' | 'case_states'> = {
  matter_type: 'matter_types',
  foreign_relation: 'foreign_relations',
  state: 'case_states',
}
const names: Record<string, Record<string, string>> = {
  wanted: texts.filings,
  reason_code: texts.refusals,
  not_licensed: texts.facts,
  relation: texts.relations,
}

const order = Object.keys(texts.facts)
const place = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length)

/// As they are read: what was, what should have been, and what it was measured by; not by the names of the fields.
export const inOrder = (facts: Record<string, unknown>): [string, unknown][] =>
  Object.entries(facts).sort(([one], [other]) => place(one) - place(other))

export const factName = (name: string): string => texts.facts[name] ?? name

/// A fact's value; one that nobody has named is shown as it came.
export function factText(name: string, value: unknown, codes: Catalogue): string {
  if (value == null || value === '' || (Array.isArray(value) && !value.length)) return none
  if (Array.isArray(value)) return value.map((one) => factText(name, one, codes)).join('、')
  if (typeof value === 'object') return joined(value, codes)
  if (typeof value === 'boolean') return value ? texts.yes : texts.no
  if (typeof value === 'number') return figure(name, value)
  const text = String(value)
  const list = lists[name]
  if (list) return codes[list].find(({ code }) => code === text)?.name_zh ?? text
  return name === 'refused_by' ? officeName(text) : (names[name]?.[text] ?? text)
}

function figure(name: string, value: number): string {
  if (name.endsWith('_fen')) return `${yuan(value)} 元`
  if (name === 'parties') return texts.partiesInAll(value)
  // Parties are counted from 0 on the wire.
  return name === 'party' ? texts.partyAt(value + 1) : String(value)
}

/// A party and what is said of it.
function joined(facts: object, codes: Catalogue): string {
  const [first = none, ...others] = Object.entries(facts).map(([name, value]) => factText(name, value, codes))
  return others.length ? `${first}（${others.join('，')}）` : first
}
