import { describe, expect, it } from 'vitest'
import { differences, kindOf, periodName, periods, subjectsOf, type Report } from './reports'

describe('periods of reports', () => {
  it('are over, the last one first', () => {
    expect(periods('month', '2026-01').slice(0, 2)).toEqual(['2025-12', '2025-11'])
    expect(periods('quarter', '2026-11').slice(0, 4)).toEqual(['2026-Q3', '2026-Q2', '2026-Q1', '2025-Q4'])
    expect(periods('half', '2026-07').slice(0, 2)).toEqual(['2026-H1', '2025-H2'])
    expect(periods('year', '2026-11')[0]).toBe('2025')
  })
  it('are told apart by their form, and have names', () => {
    expect(['2024', '2024-H1', '2024-Q4', '2024-12'].map(kindOf)).toEqual(['year', 'half', 'quarter', 'month'])
    expect(['2024', '2024-H1', '2024-Q4', '2024-03'].map(periodName)).toEqual([
      '2024年', '2024年上半年', '2024年第四季度', '2024年3月',
    ])
  })
})

function report(total: number, office: number | null): Report {
  const cell = (value: number | null) => ({ value, withheld: value === null })
  const row = (code: string, value: number | null) => ({ code, name_zh: `名${code}`, cells: [cell(value)], withheld: [] })
  return {
    period: '2024-03', title_zh: '', as_of: '2024-04-01T00:00:00Z', structure_on: '2024-01-01', summary_zh: [],
    columns: [{ code: 'accepted', name_zh: '受理', unit: 'count' }],
    total: row('', total),
    compared: [],
    tables: [{ by: 'office', name_zh: '公证处', rows: [row('a', office)] }],
  }
}

describe('what was published beside now', () => {
  it('differs where a figure moved or is left out', () => {
    expect(differences(report(9, null), report(9, null))).toEqual([])
    expect(differences(report(9, 5), report(1200, null))).toEqual([
      { where: '合计', column: '受理', published: '9', now: '1,200' },
      { where: '名a', column: '受理', published: '5', now: '＊' },
    ])
  })
})

describe('the columns of a table', () => {
  const columns: Report['columns'] = [
    { code: 'accepted', name_zh: '受理', unit: 'count', subject_zh: '办证' },
    { code: 'persons', name_zh: '服务人数', unit: 'persons', subject_zh: '核查与服务', offices_only: true },
    { code: 'issued', name_zh: '出证', unit: 'count', subject_zh: '办证' },
  ]
  const named = (by: string, of: Report['columns']) => {
    const whole = { ...report(9, 5), columns: of }
    const table = { ...whole.tables[0]!, by }
    return subjectsOf(whole, table).map(({ name, columns }) => [name, ...columns.map(({ at }) => at)])
  }
  it('stand by subject, each with its place in the rows', () => {
    expect(named('office', columns)).toEqual([['办证', 0, 2], ['核查与服务', 1]])
    expect(named('matter_group', columns)).toEqual([['办证', 0, 2]])
  })
  it('are of one subject in a report of before there were any', () => {
    expect(named('office', columns.map(({ subject_zh: _, ...column }) => column))).toEqual([['', 0, 1, 2]])
  })
})
