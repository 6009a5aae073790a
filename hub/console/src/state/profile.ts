/// What the bureau has on file of an office, as it is filled in: which fields there are, what stands in them, and what is sent.
import type { Schemas } from '@/api/client'
import { zh } from '@/text/zh'
import type { Catalogue } from './catalogue'
import { rowKey, sent, wrongs, type Answers, type Field, type Wrong } from './filing'

export type Profile = Schemas['Profile']

const texts = zh.profile
const text = (name: keyof typeof texts.fields, required = false): Field => field(name, { input: 'text', most: 200 }, required)
const field = (name: keyof typeof texts.fields, input: Field['input'], required = false): Field => ({
  name,
  label_zh: texts.fields[name],
  required,
  input,
})

/// Options for codes; one that is on file and in no list stays one.
function choices(known: readonly Schemas['FormOption'][], onFile: readonly string[]): Field['input'] {
  const others = onFile.filter((code) => known.every((one) => one.code !== code))
  return { input: 'choices', options: [...known, ...others.map((code) => ({ code, name_zh: code }))] }
}

/// All but the long text on the office's services, which has a field of its own.
export function fieldsOf({ districts, matter_types }: Catalogue, profile: Profile): Field[] {
  // The city is the beginning of its districts' codes.
  const areas = districts.map(({ code, name_zh }) => ({ code: code.replace(/00$/, ''), name_zh }))
  const matters = matter_types.map(({ code, name_zh }) => ({ code, name_zh }))
  return [
    text('licence_no'),
    field('practice_area', choices(areas, profile.practice_area)),
    field('matters_excluded', choices(matters, profile.matters_excluded)),
    field('foreign_allowed', { input: 'flag' }),
    field('keeps_approval', { input: 'flag' }),
    text('address'),
    text('telephone'),
    text('opening_hours'),
    text('complaint_line'),
    text('data_steward'),
    field('notaries', {
      input: 'rows',
      most: 500,
      columns: [text('notary_no', true), text('name', true), text('title'), field('left', { input: 'flag' })],
    }),
  ]
}

/// What stands in the fields before anybody changes it.
export const answersOf = ({ notaries, services: _, licence_no, ...facts }: Profile): Answers => ({
  ...facts,
  licence_no: licence_no ?? '',
  notaries: notaries.map(({ licence_no, name, title, active }) => ({ notary_no: licence_no, name, title, left: !active })),
})

/// What is wrong before it is sent; one licence is one notary's.
export function mistakes(fields: readonly Field[], answers: Answers): Wrong {
  const numbers = (answers['notaries'] as Answers[]).map(({ notary_no }) => String(notary_no).trim())
  const twice = numbers.flatMap((number, at): [string, string][] =>
    number && numbers.indexOf(number) < at ? [[rowKey('notaries', at, 'notary_no'), texts.twice]] : [],
  )
  return { ...wrongs(fields, answers), ...Object.fromEntries(twice) }
}

/// As the hub takes it, which replaces all that was on file: a text that is empty is sent as such.
export function profileOf(fields: readonly Field[], answers: Answers, services: string): Schemas['NewProfile'] {
  const empty = fields.filter(({ input }) => input.input === 'text').map(({ name }) => [name, ''])
  const { licence_no, notaries, ...facts } = { ...Object.fromEntries(empty), ...sent(fields, answers) } as Omit<Profile, 'notaries'> & { notaries: Row[] }
  return {
    ...facts,
    licence_no: licence_no || null,
    services: services.trim(),
    notaries: notaries.map(({ notary_no, name, title, left }) => ({ licence_no: notary_no, name, title: title ?? '', active: !left })),
  }
}
interface Row {
  notary_no: string
  name: string
  title?: string
  left: boolean
}
