/// Code lists and offices, asked for once a person.
import { shallowRef, watch } from 'vue'
import { api, ask, type Schemas } from '@/api/client'
import { person } from './session'

export type Catalogue = Schemas['Catalogue']
export type Office = Schemas['Office']
export type Account = Schemas['AccountAnswer']

let codes: Promise<Catalogue> | null = null
let offices: Promise<Office[]> | null = null
let accounts: Promise<Account[]> | null = null
const names = shallowRef(new Map<string, string>())
const people = shallowRef(new Map<string, string>())

watch(person, () => {
  codes = null
  offices = null
  accounts = null
  people.value = new Map()
  names.value = new Map()
})

export function catalogue(): Promise<Catalogue> {
  codes ??= ask(api.GET('/api/v1/catalogue')).catch((problem: unknown) => {
    codes = null
    throw problem
  })
  return codes
}

export function officeList(): Promise<Office[]> {
  offices ??= ask(api.GET('/api/v1/offices'))
    .then(({ items }) => {
      names.value = new Map(items.map((office) => [office.office_id, office.name]))
      return items
    })
    .catch((problem: unknown) => {
      offices = null
      throw problem
    })
  return offices
}

/// Who may sign in; for supervisors and operators.
export function accountList(): Promise<Account[]> {
  accounts ??= ask(api.GET('/api/v1/accounts'))
    .then(({ items }) => {
      people.value = new Map(items.map((account) => [account.account_id, account.display_name]))
      return items
    })
    .catch((problem: unknown) => {
      accounts = null
      throw problem
    })
  return accounts
}

/// Whose an account is where that is known; otherwise the part of its id that tells it from others.
export const accountName = (id: string): string => people.value.get(id) ?? id.slice(-8)

/// An office's name where it is known; a notary knows that of the own one alone.
export const officeName = (id: string): string => names.value.get(id) ?? id
