import { describe, expect, it } from 'vitest'
import { ago, change, count, day, monthAfter, percent, thisMonth, time, yuan } from './format'

describe('times are those of Asia/Shanghai', () => {
  it('wherever the browser is', () => {
    expect(time('2026-11-25T16:05:09Z')).toBe('2026-11-26 00:05:09')
    expect(day('2026-11-25T15:59:59Z')).toBe('2026-11-25')
    expect(thisMonth(new Date('2026-11-30T16:00:00Z'))).toBe('2026-12')
  })
  it('and what never was is said so', () => {
    expect([time(null), day(undefined), ago(null)]).toEqual(['—', '—', '从未'])
  })
  it('in whole units of the past', () => {
    const now = Date.parse('2026-11-26T00:00:00Z')
    const before = (seconds: number) => new Date(now - seconds * 1000).toISOString()
    expect([30, 90, 7200, 200_000, -5].map((seconds) => ago(before(seconds), now))).toEqual([
      '刚刚', '1 分钟前', '2 小时前', '2 天前', '刚刚',
    ])
  })
})

describe('months are counted over the turn of a year', () => {
  it.each([
    ['2026-01', -1, '2025-12'],
    ['2026-12', 1, '2027-01'],
    ['2026-11', -23, '2024-12'],
  ])('%s %i', (month, by, expected) => expect(monthAfter(month, by)).toBe(expected))
})

describe('numbers', () => {
  it('are grouped, and nothing is a dash, not 0', () => {
    expect([count(1_234_567), count(0), count(null)]).toEqual(['1,234,567', '0', '—'])
    expect([yuan(12_345), percent(0.1234), change(0.05), change(-0.05), change(null)]).toEqual([
      '123.45', '12.3%', '+5.0%', '-5.0%', '—',
    ])
  })
})
