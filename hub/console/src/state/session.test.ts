import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { began, ended, hasLapsed, left, person, session, type Session } from './session'

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
  left()
  vi.useRealTimers()
})

describe('a session', () => {
  it('ends by itself when the hub says so, and leaves the page to the same person', () => {
    began(begun('jiandu'))
    const before = person.value
    vi.advanceTimersByTime(900_000)
    expect([session.value, hasLapsed.value]).toEqual([null, true])
    began(begun('jiandu'))
    expect([hasLapsed.value, person.value]).toEqual([false, before])
  })

  it('shows nobody the page of somebody else', () => {
    began(begun('jiandu'))
    const before = person.value
    ended()
    began(begun('yunwei'))
    expect(person.value).toBe(before + 1)
  })

  it('leaves nothing behind when somebody leaves', () => {
    began(begun('jiandu'))
    left()
    expect([session.value, hasLapsed.value]).toEqual([null, false])
    vi.advanceTimersByTime(900_000)
    expect(hasLapsed.value).toBe(false)
  })
})
