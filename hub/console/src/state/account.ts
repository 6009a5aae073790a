/// What is new about the own account.
import type { Schemas } from '@/api/client'

type Own = Pick<Schemas['OwnAccountAnswer'], 'sessions' | 'changes'>

export interface News {
  /// Attempts that were refused since the sign-in before the last one.
  readonly tried: number
  /// Changes since the sign-in before the last one.
  readonly changed: number
}

/// Sessions that took the place of others after a change are no sign-ins.
export function newsOf({ sessions, changes }: Own): News {
  const [last, before] = sessions.filter(({ door }) => door !== 'change').map(({ begun_at }) => Date.parse(begun_at))
  if (last === undefined) return { tried: 0, changed: 0 }
  const isNew = (at: string): boolean => Date.parse(at) <= last && (before === undefined || Date.parse(at) > before)
  return {
    tried: sessions.filter(({ begun_at }) => isNew(begun_at)).reduce((sum, { refused }) => sum + refused, 0),
    changed: changes.filter(({ at }) => isNew(at)).length,
  }
}
