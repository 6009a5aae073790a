/// Code lists and offices, asked for once a person.
import { shallowRef, watch } from 'vue'
import { api, ask, type Schemas } from '@/api/client'
import { person } from './session'

export type Catalogue = Schemas['Catalogue']
export type SupervisionCatalogue = Schemas['SupervisionCatalogue']
export type Office = Schemas['Office']
export type Account = Schemas['AccountAnswer']

const names = shallowRef(new Map<string, string>())
const people = shallowRef(new Map<string, string>())

/// Asks once a person; a refusal is not kept.
function once<T>(load: () => Promise<T>): () => Promise<T> {
  let kept: Promise<T> | null = null
  watch(person, () => (kept = null))
  return () => {
    kept ??= load().catch((problem: unknown) => {
      kept = null
      throw problem
    })
    return kept
  }
}

watch(person, () => {
  names.value = new Map()
  people.value = new Map()
})

export const catalogue = once(() => ask(api.GET('/api/v1/catalogue')))

/// Forms of filings, items of the window, and names of the codes of supervision.
export const supervisionCatalogue = once(() => ask(api.GET('/api/v1/supervision/catalogue')))

/// Offices that practise, whose names are public: by which a notary reads who else has a case.
export const directory = once(async () => {
  const { items } = await ask(api.GET('/api/v1/directory'))
  named(items)
  return items
})

function named(offices: readonly { office_id: string; name: string }[]): void {
  names.value = new Map([...names.value, ...offices.map((office) => [office.office_id, office.name] as const)])
}

export const officeList = once(async () => {
  const { items } = await ask(api.GET('/api/v1/offices'))
  named(items)
  // The city's own offices first; within a level as they come.
  const ofCounty = ({ level }: Office): number => Number(level !== 'municipal')
  return [...items].sort((a, b) => ofCounty(a) - ofCounty(b))
})

/// Names behind the ids in decisions and steps, as far as whoever asks may know them.
export const peopleList = once(async () => {
  const { items } = await ask(api.GET('/api/v1/people'))
  people.value = new Map(items.map(({ account_id, name }) => [account_id, name]))
})

/// Who may sign in; for supervisors and operators.
export const accountList = once(async () => {
  const { items } = await ask(api.GET('/api/v1/accounts'))
  people.value = new Map(items.map((account) => [account.account_id, account.display_name]))
  return items
})

/// A code's name in a list; a code that the list does not have is shown as it came.
export const nameIn = (list: readonly Schemas['Code'][] | undefined, code: string): string =>
  list?.find((one) => one.code === code)?.name_zh ?? code

/// Whose an account is where that is known; otherwise the part of its id that tells it from others.
export const accountName = (id: string): string => people.value.get(id) ?? id.slice(-8)

/// An office's name where it is known.
export const officeName = (id: string): string => names.value.get(id) ?? id
