/// What is asked of the audit log, as it stands in the page's address, and how an entry's details read.
import { zh } from '@/text/zh'

export const filters = ['actor', 'office_id', 'action', 'outcome', 'case', 'from', 'to'] as const
export type Filter = Readonly<Partial<Record<(typeof filters)[number], string>>>

/// Reads the filters that are there from an address.
export function fromAddress(query: Record<string, unknown>): Filter {
  const given = filters.map((name) => [name, query[name]] as const)
  return Object.fromEntries(given.filter(([, value]) => typeof value === 'string' && value !== ''))
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
