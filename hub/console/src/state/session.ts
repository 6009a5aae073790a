/// Who signed in. The token lives in this page's memory alone: no cookie that another site's page could ride on, no
/// storage that outlives the page or that a script from elsewhere could read. Reloading the page means signing in again.
import { computed, readonly, ref, shallowRef } from 'vue'

export type Role = 'notary' | 'analyst' | 'supervisor' | 'operator'

export interface Session {
  readonly login: string
  readonly token: string
  readonly expiresAt: Date
  readonly role: Role
  readonly officeId: string | null
  readonly name: string
}

const current = shallowRef<Session | null>(null)
/// Whether a session ended by itself: the page under it is kept for whoever signs in again.
const lapsed = ref(false)
/// Whose the page is: a lapse leaves it to them, with what they typed.
const owner = shallowRef<Session | null>(null)
let timer: ReturnType<typeof setTimeout> | undefined

export const session = readonly(current)
export const hasLapsed = readonly(lapsed)
/// Of the page's owner, whose forms stay through a lapse; who is signed in is `session`'s to say.
export const role = computed(() => owner.value?.role ?? null)
export const officeId = computed(() => owner.value?.officeId ?? null)
/// Grows when somebody else signs in than the one before: what is on the page is not theirs.
export const visitor = ref(0)

export function startSession(begun: Session): void {
  if (owner.value?.login !== begun.login) visitor.value += 1
  owner.value = begun
  lapsed.value = false
  current.value = begun
  clearTimeout(timer)
  timer = setTimeout(expireSession, Math.max(0, begun.expiresAt.getTime() - Date.now()))
}

/// The same person goes on in a session that took the place of the one at hand.
export function replaceToken(next: { access_token: string; expires_at: string }): void {
  const { value: mine } = current
  if (mine) startSession({ ...mine, token: next.access_token, expiresAt: new Date(next.expires_at) })
}

/// The session is no more; the page stays for the same person.
export function expireSession(): void {
  if (!current.value) return
  lapsed.value = true
  current.value = null
}

/// Somebody left for good.
export function signOut(): void {
  clearTimeout(timer)
  owner.value = null
  lapsed.value = false
  current.value = null
  visitor.value += 1
}
