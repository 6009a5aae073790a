/// Code lists, and names of offices and people, asked for once a person.
import { shallowRef, watch } from 'vue'
import { api, ask, type Schemas } from '@/api/client'
import { role, session, visitor } from './session'

export type Catalogue = Schemas['Catalogue']
export type SupervisionCatalogue = Schemas['SupervisionCatalogue']
export type Office = Schemas['Office']
export type Account = Schemas['AccountAnswer']

/// Asks once a person; a refusal is not kept.
function once<T>(load: () => Promise<T>): () => Promise<T> {
  let kept: Promise<T> | null = null
  watch(visitor, () => (kept = null), { flush: 'sync' })
  return () => {
    if (kept) return kept
    const mine = load()
    mine.catch(() => {
      if (kept === mine) kept = null
    })
    return (kept = mine)
  }
}

export const catalogue = once(() => ask(api.GET('/api/v1/catalogue')))

/// Forms of filings, items of the window, and names of the codes of supervision.
export const supervisionCatalogue = once(() => ask(api.GET('/api/v1/supervision/catalogue')))

export const officeList = once(async () => {
  const { items } = await ask(api.GET('/api/v1/offices'))
  // The city's own offices first; within a level as they come.
  const ofCounty = ({ level }: Office): number => Number(level !== 'municipal')
  return [...items].sort((a, b) => ofCounty(a) - ofCounty(b))
})

/// Who may sign in; for supervisors and operators.
export const accountList = once(async () => (await ask(api.GET('/api/v1/accounts'))).items)

/// A name by its id, asked for when the first is wanted: nothing until they are there; where they do not come, and of what
/// is not among them, what stands for it.
function namesBy(load: () => Promise<(readonly [id: string, name: string])[]>, unnamed: (id: string) => string) {
  const names = shallowRef<ReadonlyMap<string, string> | null>(null)
  watch(visitor, () => (names.value = null), { flush: 'sync' })
  const asked = once(async () => {
    const mine = visitor.value
    const stands = (): boolean => mine === visitor.value
    const known = await load().catch((problem: unknown) => {
      if (stands()) names.value ??= new Map()
      throw problem
    })
    if (stands()) names.value = new Map(known)
  })
  return (id: string): string => {
    if (session.value) void asked().catch(() => undefined)
    return names.value ? (names.value.get(id) ?? unnamed(id)) : ''
  }
}

/// A notary knows other offices by what is public of them.
const namedOffices = (): Promise<readonly { office_id: string; name: string }[]> =>
  role.value === 'notary' ? ask(api.GET('/api/v1/directory')).then(({ items }) => items) : officeList()

export const officeName = namesBy(
  async () => (await namedOffices()).map(({ office_id, name }) => [office_id, name] as const),
  (id) => id,
)

/// Whose an account is, as far as whoever asks may know it; otherwise the part of its id that tells it from others.
export const accountName = namesBy(
  async () => (await ask(api.GET('/api/v1/people'))).items.map(({ account_id, name }) => [account_id, name] as const),
  (id) => id.slice(-8),
)

/// A code's name in a list; a code that the list does not have is shown as it came.
export const nameIn = (list: readonly Schemas['Code'][] | undefined, code: string): string =>
  list?.find((one) => one.code === code)?.name_zh ?? code
