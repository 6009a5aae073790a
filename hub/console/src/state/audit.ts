/// What is asked of the audit log, as it stands in the page's address, and how an entry's details read.
import type { Schemas } from '@/api/client'
import type { Catalogue, SupervisionCatalogue } from '@/state/catalogue'
import { zh } from '@/text/zh'

export const filters = ['actor', 'office_id', 'action', 'outcome', 'case', 'from', 'to'] as const
export type Filter = Readonly<Partial<Record<(typeof filters)[number], string>>>

/// Reads the filters that are there from an address.
export function fromAddress(query: Record<string, unknown>): Filter {
  const given = filters.map((name) => [name, query[name]] as const)
  return Object.fromEntries(given.filter(([, value]) => typeof value === 'string' && value !== ''))
}

/// What the codes among an entry's details are called, by the key that they stand under.
export function codeNames(codes: Catalogue, supervision: SupervisionCatalogue, rules: readonly Schemas['SupervisionRuleAnswer'][]) {
  const of = (...lists: (readonly { code: string; name_zh: string }[])[]) =>
    Object.fromEntries(lists.flat().map(({ code, name_zh }) => [code, name_zh]))
  const kinds = supervision.filing_kinds.map(({ kind, name_zh }) => ({ code: kind, name_zh }))
  return {
    severity: of(codes.severities),
    matter_type: of(codes.matter_types),
    matter_types: of(codes.matter_types),
    rule: of(rules.map(({ rule_id, title_zh }) => ({ code: rule_id, name_zh: title_zh }))),
    state: { ...of(supervision.finding_states, supervision.inspection_states), ...zh.review.findingStates },
    step: { ...of(supervision.finding_steps, supervision.inspection_acts), ...zh.audit.steps },
    kind: of(kinds, codes.alarm_kinds),
    role: { ...of(codes.party_roles), ...zh.role },
    verdict: zh.review.verdicts,
    outcome: zh.audit.outcomes,
    of: zh.review.kinds,
  } as Readonly<Record<string, Readonly<Record<string, string>>>>
}

/// An entry's details, each with its name where it has one here; what is absent is left out.
export function told(detail: Record<string, unknown>, nameOf: (key: string, value: string) => string): { name: string; text: string }[] {
  return Object.entries(detail)
    .filter(([, value]) => value !== null)
    .map(([key, value]) => ({ name: zh.audit.details[key] ?? key, text: text(key, value, nameOf) }))
}

function text(key: string, value: unknown, nameOf: (key: string, value: string) => string): string {
  if (typeof value === 'boolean') return value ? zh.supervision.yes : zh.supervision.no
  if (Array.isArray(value)) return value.map((one) => text(key, one, nameOf)).join('、') || '—'
  if (typeof value === 'object' && value !== null)
    return told(value as Record<string, unknown>, nameOf).map(({ name, text }) => `${name} ${text}`).join('，')
  return nameOf(key, String(value))
}
