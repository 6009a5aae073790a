import { expect, test } from 'vitest'
import { newsOf } from './account'

const session = (begun_at: string, refused = 0, door: 'password' | 'change' = 'password') =>
  ({ session_id: begun_at, door, begun_at, ends_at: begun_at, refused, state: 'ended' }) as const
const change = (at: string) => ({ change: 'role', by: 'operator', at }) as const

test('what was tried and changed since the sign-in before the last one is new', () => {
  const sessions = [session('2026-11-26T08:00:00Z', 3), session('2026-11-25T08:00:00Z', 7)]
  const changes = [change('2026-11-26T09:00:00Z'), change('2026-11-25T18:00:00Z'), change('2026-11-24T18:00:00Z')]
  expect(newsOf({ sessions, changes })).toEqual({ tried: 3, changed: 1 })
})

test('a session that goes on after a change is no sign-in', () => {
  const sessions = [
    session('2026-11-26T10:00:00Z', 4, 'change'),
    session('2026-11-26T08:00:00Z', 2),
    session('2026-11-25T09:00:00Z', 1, 'change'),
    session('2026-11-25T08:00:00Z', 7),
  ]
  expect(newsOf({ sessions, changes: [] })).toEqual({ tried: 3, changed: 0 })
})

test('of an account that nobody signed in to before everything is new', () => {
  expect(newsOf({ sessions: [session('2026-11-26T08:00:00Z')], changes: [change('2026-11-01T08:00:00Z')] })).toEqual({
    tried: 0,
    changed: 1,
  })
})
