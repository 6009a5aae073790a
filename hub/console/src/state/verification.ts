/// Whether the audit log is whole, part by part: the hub verifies so much a call. What is appended meanwhile is verified as well.
import { onScopeDispose, reactive } from 'vue'
import { api, ask, type Schemas } from '@/api/client'
import { useAct } from './load'

export function useVerification() {
  const { busy, said, act } = useAct()
  const verification = reactive({ through: 0, entries: 0, result: null as Schemas['VerificationAnswer'] | null })
  let left = false
  onScopeDispose(() => (left = true))

  const verify = (): Promise<void> =>
    act(async () => {
      Object.assign(verification, { through: 0, entries: 0, result: null })
      while (!left && !verification.result) {
        const query = { after: verification.through }
        const part = await ask(api.GET('/api/v1/audit/verification', { params: { query } }))
        Object.assign(verification, { through: part.through, entries: part.entries })
        if (!part.intact || part.through >= part.entries || part.through <= query.after) verification.result = part
      }
    })

  return { verification, verifying: busy, refused: said, verify }
}
