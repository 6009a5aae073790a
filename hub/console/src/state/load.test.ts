import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, nextTick, ref, type EffectScope } from 'vue'
import { Problem } from '@/api/client'
import { useAct, useLoad, useLookAgain, usePages } from './load'
import { signOut, startSession } from './session'

interface Page {
  items: string[]
  next_cursor?: string | null
}

let scope: EffectScope | undefined
afterEach(() => scope?.stop())

/// Answers in the order in which the test gives them.
function asked<T>() {
  const waiting: { give(answer: T): void; refuse(problem: Problem): void }[] = []
  const ask = (): Promise<T> => new Promise((give, refuse) => waiting.push({ give, refuse }))
  return { ask, waiting }
}

function loaded(options?: { stays: boolean }) {
  const about = ref('a')
  const { ask, waiting } = asked<string>()
  scope = effectScope()
  const { data, problem } = scope.run(() => useLoad(ask, [about], options))!
  return { about, data, problem, waiting }
}

describe('what is loaded', () => {
  it('does not stand beside what is asked about next, even when that is refused', async () => {
    const { about, data, problem, waiting } = loaded()
    waiting[0]?.give('of a')
    await settled()
    expect(data.value).toBe('of a')
    about.value = 'b'
    await nextTick()
    expect(data.value).toBeNull()
    waiting[1]?.refuse(new Problem(503, 'BUSY', 'busy'))
    await settled()
    expect([data.value, problem.value?.message]).toEqual([null, 'busy'])
  })

  it('stays until the next answer where that is said', async () => {
    const { about, data, waiting } = loaded({ stays: true })
    waiting[0]?.give('of a')
    await settled()
    about.value = 'b'
    await nextTick()
    expect(data.value).toBe('of a')
    waiting[1]?.give('of b')
    await settled()
    expect(data.value).toBe('of b')
  })
})

describe('what somebody does', () => {
  it('is done once at a time, and says why it was refused until it is tried again', async () => {
    const { ask, waiting } = asked<string>()
    const { busy, said, act } = useAct()
    void act(ask)
    void act(ask)
    expect([busy.value, waiting.length]).toEqual([true, 1])
    waiting[0]?.refuse(new Problem(409, 'TAKEN', '已有他人处理'))
    await settled()
    expect([busy.value, said.value]).toEqual([false, '已有他人处理'])
    void act(ask)
    expect([busy.value, said.value]).toEqual([true, ''])
  })

  it('hands a refusal to whoever knows better what to say of it', async () => {
    const { said, act } = useAct()
    const refusals: Problem[] = []
    await act(() => Promise.reject(new Problem(400, 'FIELD_INVALID', '有误', 'otp')), (problem) => refusals.push(problem))
    expect([said.value, refusals[0]?.field]).toEqual(['', 'otp'])
  })
})

describe('what is looked at again', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => {
    signOut()
    vi.useRealTimers()
  })

  it('is asked for while it is watched and somebody is signed in, not twice at a time, until the page is left', async () => {
    const { ask, waiting } = asked<void>()
    let watched = true
    scope = effectScope()
    scope.run(() => useLookAgain(() => watched, 1_000, ask))
    vi.advanceTimersByTime(1_000)
    expect(waiting).toHaveLength(0)
    startSession({ login: 'fenxi', token: 'token', expiresAt: new Date(Date.now() + 900_000), role: 'analyst', officeId: null, name: 'fenxi' })
    vi.advanceTimersByTime(3_000)
    expect(waiting).toHaveLength(1)
    waiting[0]?.give()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(waiting).toHaveLength(2)
    waiting[1]?.give()
    watched = false
    await vi.advanceTimersByTimeAsync(2_000)
    watched = true
    scope.stop()
    await vi.advanceTimersByTimeAsync(2_000)
    expect(waiting).toHaveLength(2)
  })
})

function pages() {
  const filter = ref('a')
  const { ask, waiting } = asked<Page>()
  scope = effectScope()
  const list = scope.run(() => usePages<string>(ask, [filter]))!
  const give = async (at: number, page: Page): Promise<void> => {
    waiting[at]?.give(page)
    await settled()
  }
  return { filter, list, waiting, give }
}

/// Until whatever has its answer has acted on it.
const settled = (): Promise<void> => new Promise((done) => setImmediate(done))

describe('a list that comes page by page', () => {
  it('goes on where its last page ended', async () => {
    const { list, give } = pages()
    await give(0, { items: ['a1'], next_cursor: 'c' })
    void list.loadMore()
    await give(1, { items: ['a2'] })
    expect([list.items.value, list.hasMore()]).toEqual([['a1', 'a2'], false])
  })

  it('shows nothing of a former question that is answered last', async () => {
    const { filter, list, give } = pages()
    filter.value = 'b'
    await nextTick()
    await give(1, { items: ['b1'] })
    await give(0, { items: ['a1'], next_cursor: 'c' })
    expect([list.items.value, list.hasMore()]).toEqual([['b1'], false])
  })

  it('drops a page of a former question, and goes on with its own', async () => {
    const { filter, list, give } = pages()
    await give(0, { items: ['a1'], next_cursor: 'c' })
    void list.loadMore()
    filter.value = 'b'
    await nextTick()
    await give(2, { items: ['b1'], next_cursor: 'd' })
    void list.loadMore()
    await give(1, { items: ['a2'] })
    expect([list.items.value, list.hasMore(), list.loadingMore.value]).toEqual([['b1'], true, true])
    await give(3, { items: ['b2'] })
    expect([list.items.value, list.hasMore(), list.loadingMore.value]).toEqual([['b1', 'b2'], false, false])
  })

  it('keeps what it has when more does not come, until it is asked again', async () => {
    const { list, waiting, give } = pages()
    await give(0, { items: ['a1'], next_cursor: 'c' })
    void list.loadMore()
    waiting[1]?.refuse(new Problem(503, 'BUSY', 'busy'))
    await settled()
    expect([list.items.value, list.problem.value?.message]).toEqual([['a1'], 'busy'])
    void list.reload()
    await give(2, { items: ['a1', 'a2'] })
    expect([list.items.value, list.problem.value]).toEqual([['a1', 'a2'], null])
  })
})
