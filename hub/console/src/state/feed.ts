/// An office's feed, as far as more than one page tells of it.
import type { Schemas } from '@/api/client'

type Feed = Schemas['FeedAnswer']

/// How far the first load of an office is; `null` of one that never spoke, and once everything was there. It is full only then.
export function firstLoad(feed: Feed | undefined): { percent: number; committed: number; known: number } | null {
  const load = feed?.first_load
  if (!load || load.known === 0) return null
  return { ...load, percent: Math.min(99, Math.floor((load.committed / load.known) * 100)) }
}
