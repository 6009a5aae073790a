import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { expireSession, hasLapsed, officeId, role, session, signOut, startSession, visitor, type Session } from './session'

const begun = (login: string): Session => ({
  login,
  token: 'token',
  expiresAt: new Date(Date.now() + 900_000),
  role: 'supervisor',
  officeId: null,
  name: login,
})

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  signOut()
  vi.useRealTimers()
})

describe('a session', () => {
  it('ends by itself when the hub says so, and leaves the page to the same person', () => {
    startSession(begun('jiandu'))
    const before = visitor.value
    vi.advanceTimersByTime(900_000)
    expect([session.value, hasLapsed.value]).toEqual([null, true])
    startSession(begun('jiandu'))
    expect([hasLapsed.value, visitor.value]).toEqual([false, before])
  })

  it('shows nobody the page of somebody else', () => {
    startSession(begun('jiandu'))
    const before = visitor.value
    expireSession()
    startSession(begun('yunwei'))
    expect(visitor.value).toBe(before + 1)
  })

  it('leaves the page its role and office until its owner signs out or somebody else signs in', () => {
    startSession({ ...begun('jia'), role: 'notary', officeId: 'hzgl' })
    expireSession()
    expect([session.value, role.value, officeId.value]).toEqual([null, 'notary', 'hzgl'])
    startSession(begun('jiandu'))
    expect([role.value, officeId.value]).toEqual(['supervisor', null])
    expireSession()
    signOut()
    expect(role.value).toBeNull()
  })

  it('leaves nothing behind when somebody leaves', () => {
    startSession(begun('jiandu'))
    signOut()
    expect([session.value, hasLapsed.value]).toEqual([null, false])
    vi.advanceTimersByTime(900_000)
    expect(hasLapsed.value).toBe(false)
  })
})
