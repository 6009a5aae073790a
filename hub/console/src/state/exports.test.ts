import { afterEach, describe, expect, it, vi } from 'vitest'
import { api, Problem } from '@/api/client'
import { takeAway } from './exports'
import * as files from './save'

afterEach(() => vi.restoreAllMocks())

function begins(): ReturnType<typeof vi.spyOn> {
  return vi.spyOn(api, 'POST').mockResolvedValue({ data: {}, response: new Response(null, { status: 202 }) } as never)
}

describe('a file to take away', () => {
  it('is saved where the hub hands it over at once', async () => {
    const saved = vi.spyOn(files, 'save').mockResolvedValue()
    const begun = begins()
    expect(await takeAway('statistics', { from: '2024' }, 'csv', '统计')).toBe('saved')
    expect(saved).toHaveBeenCalledWith('/api/v1/statistics?from=2024', 'csv', '统计')
    expect(begun).not.toHaveBeenCalled()
  })
  it('is begun where there is too much for that', async () => {
    vi.spyOn(files, 'save').mockRejectedValue(new Problem(409, 'EXPORT_NEEDED', '数据量较大'))
    const begun = begins()
    expect(await takeAway('audit', {}, 'xlsx', '审计')).toBe('begun')
    expect(begun).toHaveBeenCalledWith('/api/v1/audit/entries/exports', { params: { query: {} }, body: { form: 'xlsx' } })
  })
  it('is neither where the hub refuses it otherwise', async () => {
    vi.spyOn(files, 'save').mockRejectedValue(new Problem(403, 'PERMISSION_DENIED', '无权'))
    const begun = begins()
    await expect(takeAway('findings', {}, 'csv', '问题')).rejects.toThrow('无权')
    expect(begun).not.toHaveBeenCalled()
  })
})
