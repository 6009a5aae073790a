import { afterEach, expect, it, vi } from 'vitest'
import { api, Problem } from '@/api/client'
import { accountName, officeName } from './catalogue'
import { expireSession, signOut, startSession, type Role } from './session'

const signIn = (role: Role): void =>
  startSession({ login: role, token: 'token', expiresAt: new Date(Date.now() + 900_000), role, officeId: null, name: role })
const settled = (): Promise<void> => new Promise((done) => setImmediate(done))

afterEach(() => {
  signOut()
  vi.restoreAllMocks()
})

/// What the hub answers, by path; nothing else is asked for.
function answers(items: Record<string, object[]>) {
  return vi.spyOn(api, 'GET').mockImplementation(((path: string) =>
    items[path]
      ? Promise.resolve({ data: { items: items[path] }, response: new Response() })
      : Promise.reject(new Problem(403, 'PERMISSION_DENIED', path))) as never)
}
const office = (name: string) => ({ office_id: 'hzgl', name, level: 'municipal' })

it('an office is known by its name without anybody having asked for the list, once for all', async () => {
  const asked = answers({ '/api/v1/offices': [office('杭州市甲公证处')] })
  signIn('supervisor')
  expect(officeName('hzgl')).toBe('')
  await settled()
  expect([officeName('hzgl'), officeName('gone')]).toEqual(['杭州市甲公证处', 'gone'])
  expect(asked).toHaveBeenCalledTimes(1)
})

it('nobody asks for names in a session that lapsed', async () => {
  const asked = answers({ '/api/v1/offices': [office('杭州市甲公证处')] })
  signIn('supervisor')
  expireSession()
  officeName('hzgl')
  expect(asked).not.toHaveBeenCalled()
  signIn('supervisor')
  officeName('hzgl')
  await settled()
  expect(officeName('hzgl')).toBe('杭州市甲公证处')
})

it('a notary knows offices by what is public of them', async () => {
  answers({ '/api/v1/directory': [office('杭州市甲公证处')] })
  signIn('notary')
  officeName('hzgl')
  await settled()
  expect(officeName('hzgl')).toBe('杭州市甲公证处')
})

it('names that one person was told are not told to the next, even when they come late', async () => {
  answers({ '/api/v1/people': [{ account_id: '0199-aaaaaaaa', name: '监督员甲' }] })
  signIn('supervisor')
  accountName('0199-aaaaaaaa')
  signIn('notary')
  await settled()
  answers({ '/api/v1/people': [{ account_id: '0199-aaaaaaaa', name: '市司法局' }] })
  expect(accountName('0199-aaaaaaaa')).toBe('')
  await settled()
  expect(accountName('0199-aaaaaaaa')).toBe('市司法局')
})

it('a name that does not come is stood for, and asked for again when it is wanted again', async () => {
  answers({})
  signIn('supervisor')
  accountName('0199-aaaaaaaa')
  await settled()
  answers({ '/api/v1/people': [{ account_id: '0199-aaaaaaaa', name: '监督员甲' }] })
  expect(accountName('0199-aaaaaaaa')).toBe('aaaaaaaa')
  await settled()
  expect(accountName('0199-aaaaaaaa')).toBe('监督员甲')
})
