/// What a page shows while it asks, when it is refused, and once it knows.
import { computed, onScopeDispose, readonly, ref, shallowRef, watch, type Ref, type WatchSource } from 'vue'
import { Problem } from '@/api/client'
import { session } from '@/state/session'
import { zh } from '@/text/zh'

export interface Loaded<T> {
  readonly data: Readonly<Ref<T | null>>
  readonly problem: Readonly<Ref<Problem | null>>
  readonly loading: Readonly<Ref<boolean>>
  reload(): Promise<void>
}

/// Anything thrown, as a problem.
const problemOf = (thrown: unknown): Problem =>
  thrown instanceof Problem ? thrown : new Problem(0, 'FAULT', zh.problem.fault)

/// What somebody does, once at a time: that it is under way, and why it was refused.
export function useAct() {
  const busy = ref(false)
  const said = ref('')
  const say = ({ message }: Problem): void => void (said.value = message)

  async function act(what: () => Promise<unknown>, refused: (problem: Problem) => unknown = say): Promise<void> {
    if (busy.value) return
    busy.value = true
    said.value = ''
    try {
      await what()
    } catch (thrown) {
      await refused(problemOf(thrown))
    } finally {
      busy.value = false
    }
  }

  return { busy: readonly(busy), said, act }
}

/// Looks again every so many milliseconds while there is something to watch and somebody who may.
export function useLookAgain(isWatched: () => boolean, every: number, look: () => Promise<void>): void {
  const { act } = useAct()
  const looking = setInterval(() => {
    if (session.value && isWatched()) void act(look)
  }, every)
  onScopeDispose(() => clearInterval(looking))
}

/// Asks now, and again when one of `sources` changes or a lapsed session is renewed. Of several answers on their way
/// the last one asked for counts. What was answered before the change is about something else and goes at once, unless
/// it is said to stay until then.
export function useLoad<T>(load: () => Promise<T>, sources: WatchSource[] = [], { stays = false } = {}): Loaded<T> {
  const data = shallowRef<T | null>(null)
  const problem = shallowRef<Problem | null>(null)
  const loading = ref(false)
  let asked = 0

  async function reload(): Promise<void> {
    const mine = ++asked
    loading.value = true
    problem.value = null
    try {
      const answer = await load()
      if (mine === asked) data.value = answer
    } catch (thrown) {
      if (mine === asked) problem.value = problemOf(thrown)
    } finally {
      if (mine === asked) loading.value = false
    }
  }

  watch(
    sources,
    () => {
      if (!stays) data.value = null
      void reload()
    },
    { immediate: true },
  )
  watch(session, (now) => {
    if (now && problem.value?.status === 401) void reload()
  })
  onScopeDispose(() => {
    asked += 1
  })
  return { data: data as Readonly<Ref<T | null>>, problem, loading: readonly(loading), reload }
}

/// A list that comes page by page.
export function usePages<T>(
  load: (cursor: string | undefined) => Promise<{ items: T[]; next_cursor?: string | null }>,
  sources: WatchSource[] = [],
) {
  const first = useLoad(() => load(undefined), sources)
  /// Behind the first page, whose they are: when another takes its place they are gone with it.
  const rest = shallowRef<T[]>([])
  const next = ref<string | null>(null)
  const more = ref(false)
  const failed = shallowRef<Problem | null>(null)
  watch(
    first.data,
    (page) => {
      rest.value = []
      next.value = page?.next_cursor ?? null
      more.value = false
      failed.value = null
    },
    { flush: 'sync' },
  )
  const items = computed(() => [...(first.data.value?.items ?? []), ...rest.value])
  const problem = computed(() => first.problem.value ?? failed.value)

  async function loadMore(): Promise<void> {
    if (next.value === null || more.value) return
    const before = first.data.value
    const stands = (): boolean => first.data.value === before
    more.value = true
    failed.value = null
    try {
      const page = await load(next.value)
      if (!stands()) return
      rest.value = [...rest.value, ...page.items]
      next.value = page.next_cursor ?? null
    } catch (thrown) {
      if (stands()) failed.value = problemOf(thrown)
    } finally {
      if (stands()) more.value = false
    }
  }

  return { ...first, problem, items, hasMore: () => next.value !== null, loadingMore: readonly(more), loadMore }
}
