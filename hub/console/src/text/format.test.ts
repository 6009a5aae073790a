import { describe, expect, it } from 'vitest'
import { ago, changed, count, day, monthAfter, percent, thisMonth, time, written, yuan } from './format'

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
    expect([count(1_234_567), count(0), count(null), yuan(null), percent(undefined)]).toEqual(['1,234,567', '0', '—', '—', '—'])
  })
  // The same as in hub/src/statistics/digits.rs.
  it.each([
    [1_234_567, 'count', '1,234,567'], [12, 'days', '12'], [-100_005, 'fen', '-1,000.05'], [0.5, 'rate', '50.00%'],
    [0.969_767, 'rate', '96.98%'], [12.345, 'per_ten_thousand', '12.35'], [4, 'score', '4.00'],
    [0.010_05, 'rate', '1.01%'], [0.996_25, 'rate', '99.63%'], [-0.001_25, 'rate', '-0.13%'], [1.005, 'score', '1.01'],
  ] as const)('%d in the digits of %s is %s', (value, unit, expected) => expect(written(value, unit)).toBe(expected))
  it.each([
    [0.125, 'count', '+12.50%'], [-0.125, 'fen', '-12.50%'], [-0.012, 'rate', '-1.20 个百分点'], [2, 'days', '+2'],
    [0.25, 'score', '+0.25'], [0, 'count', '0.00%'], [null, 'count', '—'],
  ] as const)('a change of %d in %s is %s', (value, unit, expected) => expect(changed(value, unit)).toBe(expected))
})
