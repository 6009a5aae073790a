/// Whether the audit log is whole, part by part: the hub verifies so much a call. What is appended meanwhile is verified as well.
import { onScopeDispose, reactive } from 'vue'
import { api, ask, type Schemas } from '@/api/client'
import { problemOf } from './load'

export function useVerification() {
  const verification = reactive({
    running: false,
    through: 0,
    entries: 0,
    result: null as Schemas['VerificationAnswer'] | null,
    said: '',
  })
  let left = false
  onScopeDispose(() => (left = true))

  async function verify(): Promise<void> {
    Object.assign(verification, { running: true, through: 0, entries: 0, result: null, said: '' })
    try {
      while (!left && !verification.result) {
        const query = { after: verification.through }
        const part = await ask(api.GET('/api/v1/audit/verification', { params: { query } }))
        Object.assign(verification, { through: part.through, entries: part.entries })
        if (!part.intact || part.through >= part.entries || part.through <= query.after) verification.result = part
      }
    } catch (thrown) {
      verification.said = problemOf(thrown).message
    } finally {
      verification.running = false
    }
  }

  return { verification, verify }
}
