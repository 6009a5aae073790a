import { afterEach, describe, expect, it, vi } from 'vitest'
import { effectScope } from 'vue'
import { api } from '@/api/client'
import { useVerification } from './verification'

afterEach(() => vi.restoreAllMocks())

/// A log of four entries, of which a call verifies two.
function parts() {
  const verify = (after: number) => ({ after, through: after + 2, entries: 4, intact: true })
  return vi.spyOn(api, 'GET').mockImplementation(((_: string, { params }: { params: { query: { after: number } } }) =>
    Promise.resolve({ data: verify(params.query.after), response: new Response() })) as never)
}

describe('the log', () => {
  it('is verified part by part to its end', async () => {
    const asked = parts()
    const { verification, verify } = effectScope().run(useVerification)!
    await verify()
    expect(verification).toMatchObject({ through: 4, result: { intact: true } })
    expect(asked).toHaveBeenCalledTimes(2)
  })

  it('is verified no further once the page is left', async () => {
    const asked = parts()
    const scope = effectScope()
    const { verification, verify } = scope.run(useVerification)!
    const verifying = verify()
    scope.stop()
    await verifying
    expect(verification).toMatchObject({ result: null })
    expect(asked).toHaveBeenCalledTimes(1)
  })
})
