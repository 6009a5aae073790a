/// A filing as it is filled in: what stands in each field, what is missing, and what is sent. Which fields there are is
/// said by the hub's catalogue; whether they hold is decided by the hub.
import type { Schemas } from '@/api/client'
import { zh } from '@/text/zh'

export type Form = Schemas['FilingForm']
export type Field = Schemas['FormField']
type Input = Field['input']

export interface Period {
  first_day: string
  last_day: string
}
/// What is said of an item of the window.
export interface ItemAnswer {
  answer: string
  value: string
  notaries: string
  evidence: string
}
export type Answers = Record<string, Answer>
export type Answer = string | boolean | string[] | Period | Answers[] | Record<string, ItemAnswer>

/// Where something is missing or wrong: a field's name, with place and column in a list of rows.
export type Wrong = Record<string, string>

export const rowKey = (field: string, at: number, column: string): string => `${field}[${at}].${column}`

/// What stands in a field before anybody filled it in.
export function blank(input: Input, deadline?: Form['deadline'] | null): Answer {
  switch (input.input) {
    case 'flag':
      return false
    case 'choices':
      return []
    case 'counts':
      return input.labels_zh.map(() => '')
    case 'period':
      return { first_day: deadline?.period?.first_day ?? '', last_day: deadline?.period?.last_day ?? '' }
    case 'rows':
      return [blanks(input.columns)]
    case 'window':
      return {}
    default:
      return ''
  }
}

export const blanks = (fields: readonly Field[], deadline?: Form['deadline'] | null): Answers =>
  Object.fromEntries(fields.map(({ name, input }) => [name, blank(input, deadline)]))

/// A day of the calendar as 2026-11-26.
export function isDay(text: string): boolean {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(text) ? new Date(`${text}T00:00:00Z`) : null
  return !!at && !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text)
}

const isCount = (text: string, most: number): boolean => /^\d+$/.test(text) && Number(text) <= most

/// What is wrong with an answer, by field; nothing is when it can be sent.
export function wrongs(fields: readonly Field[], answers: Answers): Wrong {
  return Object.assign({}, ...fields.map((field) => wrongIn(field, answers[field.name])))
}

function wrongIn({ name, label_zh, required, input }: Field, answer: Answer | undefined): Wrong {
  const say = (text: string): Wrong => ({ [name]: text })
  switch (input.input) {
    case 'period': {
      const { first_day, last_day } = answer as Period
      if (!first_day || !last_day) return say(zh.filing.needed(label_zh))
      if (!isDay(first_day) || !isDay(last_day)) return say(zh.filing.notADay(label_zh))
      return first_day > last_day ? say(zh.filing.periodTurned) : {}
    }
    case 'day': {
      const text = String(answer).trim()
      if (!text) return required ? say(zh.filing.needed(label_zh)) : {}
      return isDay(text) ? {} : say(zh.filing.notADay(label_zh))
    }
    case 'count': {
      const text = String(answer).trim()
      if (!text) return required ? say(zh.filing.needed(label_zh)) : {}
      return isCount(text, input.most) ? {} : say(zh.filing.notACount(label_zh))
    }
    case 'counts':
      return (answer as string[]).every((text) => isCount(text.trim(), input.most)) ? {} : say(zh.filing.notACount(label_zh))
    case 'rows': {
      const rows = answer as Answers[]
      if (!rows.length && required) return say(zh.filing.needed(label_zh))
      const columns = (row: Answers, at: number): Wrong =>
        Object.fromEntries(Object.entries(wrongs(input.columns, row)).map(([column, text]) => [rowKey(name, at, column), text]))
      return Object.assign({}, ...rows.map(columns))
    }
    // Its own component knows how many items there are.
    case 'window':
    case 'flag':
    case 'choices':
      return {}
    default:
      return required && !String(answer).trim() ? say(zh.filing.needed(label_zh)) : {}
  }
}

/// The kind's own fields as the hub takes them: what may be left out and was is left out.
export const sent = (fields: readonly Field[], answers: Answers): Record<string, unknown> =>
  Object.fromEntries(
    fields.map(({ name, input, required }) => [name, value(input, answers[name], required)]).filter(([, value]) => value !== undefined),
  ) as Record<string, unknown>

function value(input: Input, answer: Answer | undefined, required: boolean): unknown {
  switch (input.input) {
    case 'count':
      return answer === '' ? undefined : Number(answer)
    case 'counts':
      return (answer as string[]).map(Number)
    case 'rows':
      return (answer as Answers[]).map((row) => sent(input.columns, row))
    case 'window':
      return Object.entries(answer as Record<string, ItemAnswer>).map(([item, said]) => itemSent(item, said))
    case 'text': {
      const text = String(answer).trim()
      return text || required ? text : undefined
    }
    case 'flag':
    case 'choices':
    case 'period':
      return answer
    default:
      return answer === '' ? undefined : answer
  }
}

function itemSent(item: string, { answer, value, notaries, evidence }: ItemAnswer): object {
  const measured = answer === 'measured' || answer === 'per_notary' ? { value: Number(value) } : {}
  const beside = answer === 'per_notary' ? { notaries: Number(notaries) } : {}
  return { item, answer, ...measured, ...beside, evidence: evidence.trim() }
}

/// The answers that a filing was sent with, to be corrected.
export const filled = (fields: readonly Field[], body: Record<string, unknown>): Answers =>
  Object.fromEntries(fields.map(({ name, input }) => [name, answered(input, body[name])]))

function answered(input: Input, value: unknown): Answer {
  if (value == null) return blank(input)
  switch (input.input) {
    case 'counts':
      return (value as number[]).map(String)
    case 'rows':
      return (value as Record<string, unknown>[]).map((row) => filled(input.columns, row))
    case 'flag':
    case 'choices':
    case 'period':
      return value as Answer
    default:
      return String(value)
  }
}

/// What a filing says, label by label, for a list; long ones by how many there are.
export function told(form: Form | undefined, body: Record<string, unknown>, matters: Schemas['Catalogue']['matter_types']): string[] {
  const fields = form?.fields ?? []
  return fields.flatMap(({ name, label_zh, input }) => {
    const text = said(input, body[name], matters)
    return text ? [`${label_zh}：${text}`] : []
  })
}

/// The same with every row of what is long.
export function toldWhole(form: Form | undefined, body: Record<string, unknown>, matters: Schemas['Catalogue']['matter_types']): string[] {
  const fields = form?.fields ?? []
  return fields.flatMap((field) => {
    const { name, label_zh, input } = field
    if (input.input !== 'rows') return told({ ...form, fields: [field] } as Form, body, matters)
    const rows = (body[name] ?? []) as Record<string, unknown>[]
    const columns = { ...form, fields: input.columns } as Form
    return rows.map((row, at) => `${label_zh} ${at + 1}：${told(columns, row, matters).join('，')}`)
  })
}

/// A single answer, as it reads.
export function said(input: Input, value: unknown, matters: Schemas['Catalogue']['matter_types']): string {
  if (value == null || value === '') return ''
  switch (input.input) {
    case 'period':
      return zh.filing.fromTo((value as Period).first_day, (value as Period).last_day)
    case 'flag':
      return value ? zh.supervision.yes : zh.supervision.no
    case 'choice':
      return input.options.find(({ code }) => code === value)?.name_zh ?? String(value)
    case 'choices':
      return (value as string[]).map((code) => input.options.find((one) => one.code === code)?.name_zh ?? code).join('、')
    case 'matter':
      return matters.find(({ code }) => code === value)?.name_zh ?? String(value)
    case 'counts':
      return (value as number[]).map((count, at) => `${input.labels_zh[at] ?? at + 1} ${count}`).join('，')
    case 'rows':
      return zh.filing.entries((value as unknown[]).length)
    case 'window':
      return zh.filing.items((value as unknown[]).length)
    default:
      return String(value)
  }
}
