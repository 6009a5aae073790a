import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { hasLapsed, session, signOut, startSession } from './session'
import { save } from './save'

beforeEach(() =>
  startSession({ login: 'jiandu', token: 'token', expiresAt: new Date(Date.now() + 900_000), role: 'supervisor', officeId: null, name: 'jiandu' }),
)
afterEach(() => {
  signOut()
  vi.unstubAllGlobals()
})

const answers = (status: number, headers: Record<string, string> = {}): unknown =>
  vi.stubGlobal('fetch', vi.fn().mockResolvedValue(Response.json({ reason: 'BUSY', detail_zh: '稍后再试' }, { status, headers })))
const refused = (): Promise<unknown> => save('/api/v1/statistics', 'csv', '统计').catch((problem: unknown) => problem)

it('a file asked for in a session that is over brings the sign-in', async () => {
  answers(401)
  expect(await refused()).toMatchObject({ status: 401 })
  expect([session.value, hasLapsed.value]).toEqual([null, true])
})

it('a file that is not given yet says when to come back', async () => {
  answers(503, { 'Retry-After': '30' })
  expect(await refused()).toMatchObject({ message: '稍后再试', retryAfter: 30 })
  expect(session.value?.login).toBe('jiandu')
})

it('a file is asked for with the session, and the hub that is not there is said to be unreachable', async () => {
  const asked = vi.fn().mockRejectedValue(new TypeError('fetch failed'))
  vi.stubGlobal('fetch', asked)
  expect(await refused()).toMatchObject({ reason: 'UNREACHABLE' })
  expect(asked).toHaveBeenCalledWith('/api/v1/statistics', { headers: { Accept: 'text/csv', Authorization: 'Bearer token' } })
})
