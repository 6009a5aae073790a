/// What is asked of the city before accepting: the form, what is sent of it, and how an answer says what it was asked.
import type { Question } from '@/api/counter'
import { Problem } from '@/api/client'
import { nameIn, type Catalogue } from '@/state/catalogue'
import { isDay } from '@/state/filing'
import { zh } from '@/text/zh'

export interface Entry {
  role: string
  kind: string
  number: string
  /// Looked for by what follows, because there is no number.
  byName: boolean
  name: string
  birth: string
  sex: string
  phone: string
}

export interface CheckForm {
  purpose: string
  reference: string
  matter: string
  place: string
  /// Whether other offices that ask about the same matter shall hear that it is about to be accepted here.
  intent: boolean
  parties: Entry[]
  subjects: { kind: string; number: string }[]
}

export const unnamed = (role: string): Entry => ({
  role, kind: 'resident_id', number: '', byName: false, name: '', birth: '', sex: '', phone: '',
})

export const numbered = (form: CheckForm): Entry[] => form.parties.filter(({ byName, number }) => !byName && number.trim())
export const named = (form: CheckForm): Entry[] => form.parties.filter(({ byName, name }) => byName && name.trim())
const things = (form: CheckForm) => form.subjects.filter(({ number }) => number.trim())

/// What is sent; nothing when neither a party nor a subject is given.
export function question(form: CheckForm): Question | null {
  const parties = numbered(form).map(({ role, kind, number }) => ({ role, kind, number }))
  const persons = named(form).map(({ role, name, birth, sex, phone }) => ({
    role,
    name: name.trim(),
    ...(birth ? { birth } : {}),
    ...(sex ? { sex } : {}),
    ...(phone.trim() ? { phone: phone.trim() } : {}),
  }))
  const subjects = things(form)
  if (!parties.length && !persons.length && !subjects.length) return null
  return {
    purpose: form.purpose,
    case_reference: form.reference.trim(),
    matter_type: form.matter,
    parties,
    persons,
    subjects,
    ...(form.place ? { place_of_use: form.place.trim().toUpperCase() } : {}),
    ...(intends(form) ? { intent: 'register' } : {}),
  }
}

/// Only who is about to accept has an intent.
const intends = ({ intent, purpose }: CheckForm): boolean => intent && purpose === 'before_acceptance'

/// Leaves of one client's question what the next one's begins with: purpose, matter, and what kind of things it is about.
export function clear(form: CheckForm, role: string): void {
  form.reference = ''
  form.place = ''
  form.intent = false
  form.parties = [unnamed(role)]
  form.subjects = form.subjects.map(({ kind }) => ({ kind, number: '' }))
}

/// Why the first who cannot be found is not asked about: by a name alone nobody is looked for, unless somebody with a
/// number stands beside.
export function unfindable(form: CheckForm): Problem | null {
  if (numbered(form).length) return null
  const at = named(form).findIndex(({ birth, phone }) => !birth && !phone.trim())
  return at < 0 ? null : new Problem(400, 'FIELD_INVALID', zh.check.nameAlone, `persons[${at}].birth`)
}

/// For whom, in which matter, why and for which case an answer is.
export interface Asked {
  readonly matter: string
  readonly purpose: string
  readonly reference: string
  /// How those asked about are called in the answer, in the order in which they were asked about.
  readonly people: readonly string[]
  /// With the role of each.
  readonly parties: readonly string[]
  readonly subjects: readonly string[]
  /// Whether the own intent was to be registered.
  readonly intent: boolean
  readonly at: string
}

/// A number's last characters: enough to tell two apart, too little to be the number.
const tail = (number: string): string => `…${number.trim().slice(-4)}`

export function asked(form: CheckForm, codes: Catalogue, at: Date): Asked {
  const people = [...numbered(form), ...named(form)]
  const called = people.map(({ byName, name, number }) => (byName ? name.trim() : tail(number)))
  return {
    matter: nameIn(codes.matter_types, form.matter),
    purpose: zh.audit.purposes[form.purpose] ?? form.purpose,
    reference: form.reference.trim(),
    people: called,
    parties: people.map(({ role }, nth) => `${nameIn(codes.party_roles, role)} ${called[nth]}`),
    subjects: things(form).map(({ kind, number }) => `${nameIn(codes.subject_kinds, kind)} ${tail(number)}`),
    intent: intends(form),
    at: at.toISOString(),
  }
}

const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]

/// What is wrong with a resident's number (GB 11643) that the agent refused; null of what this cannot tell.
export function numberFault(kind: string, text: string): string | null {
  if (kind !== 'resident_id') return null
  const number = text.normalize('NFKC').replace(/\s/g, '').toUpperCase()
  if (number.length !== 15 && number.length !== 18) return zh.check.faults.length(number.length)
  if (!/^(\d{15}|\d{17}[\dX])$/.test(number)) return zh.check.faults.characters
  const full = number.length === 18 ? number : `${number.slice(0, 6)}19${number.slice(6)}`
  if (!isDay(`${full.slice(6, 10)}-${full.slice(10, 12)}-${full.slice(12, 14)}`)) return zh.check.faults.birth
  const sum = weights.reduce((all, weight, at) => all + weight * Number(full[at]), 0)
  return number.length === 18 && full[17] !== '10X98765432'[sum % 11] ? zh.check.faults.checksum : null
}

/// The refusal in words for whoever filled the form in: which of the numbers, and what about it.
export function refusal(problem: Problem, form: CheckForm): string {
  const [, nth] = /^parties\[(\d+)\]\.number$/.exec(problem.field ?? '') ?? []
  const party = nth === undefined ? undefined : numbered(form)[Number(nth)]
  if (!party) return [problem.message, problem.retryAfter && zh.check.comeBack(problem.retryAfter)].filter(Boolean).join('')
  return [problem.message, numberFault(party.kind, party.number), zh.check.faults.byName].filter(Boolean).join('')
}
