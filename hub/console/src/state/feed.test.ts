import { describe, expect, it } from 'vitest'
import { firstLoad } from './feed'

const feed = (first_load: { committed: number; known: number } | null) => ({ first_load }) as Parameters<typeof firstLoad>[0]

describe('the first load of an office', () => {
  it('is a part of what its agent knows of, and full only when everything is there', () => {
    expect(firstLoad(feed({ committed: 63, known: 100 }))?.percent).toBe(63)
    expect(firstLoad(feed({ committed: 99_999, known: 100_000 }))?.percent).toBe(99)
    expect(firstLoad(feed({ committed: 50, known: 50 }))?.percent).toBe(99)
  })
  it('is over, or has not begun', () => {
    expect(firstLoad(feed(null))).toBeNull()
    expect(firstLoad(feed({ committed: 0, known: 0 }))).toBeNull()
    expect(firstLoad(undefined)).toBeNull()
  })
})
