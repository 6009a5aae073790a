import { describe, expect, it } from 'vitest'
import { drilled, fileName, fromAddress, parameters, periodMistake, toAddress, type Measure, type Question } from './statistics'

const usual = fromAddress({})

describe('a question and its address', () => {
  it('say the same', () => {
    const question: Question = {
      measures: ['issued'],
      by: ['month', 'office'],
      pivot: 'month',
      from: '2024-Q1',
      to: '2024-Q4',
      filter: { matter_type: 'will' },
    }
    expect(fromAddress(toAddress(question))).toEqual(question)
  })
  it('are short where nothing is asked for', () => expect(toAddress(usual)).toEqual({}))
  it('hold nothing that is not a question', () =>
    expect(fromAddress({ agent: '7800', pivot: 'month', office: ['a', 'b'] })).toEqual(usual))
  it('name the figures of all when nothing is told apart', () =>
    expect(parameters(fromAddress({ by: '' })).group_by).toBe(''))
})

describe('drilling down', () => {
  it('goes from the city by office to its matters and then through the months', () => {
    const office = drilled(usual, 'office', 'hzgl')
    expect([office.by, office.filter]).toEqual([['matter_type'], { office: 'hzgl' }])
    const matter = drilled(office, 'matter_type', 'will')
    expect([matter.by, matter.filter]).toEqual([['month'], { office: 'hzgl', matter_type: 'will' }])
  })
  it('makes a month the period', () => {
    const month = drilled({ ...usual, by: ['month'] }, 'month', '2024-03')
    expect([month.from, month.to, month.by]).toEqual(['2024-03', '2024-03', ['office']])
  })
  it('goes where every measure has figures', () => {
    const known = [{ code: 'findings', dimensions: ['office', 'rule', 'month'] }] as Measure[]
    const findings = { ...usual, measures: ['findings'] }
    expect(drilled(findings, 'office', 'hzgl', known).by).toEqual(['month'])
    const rule = { ...findings, by: ['rule'] }
    expect(drilled(rule, 'rule', 'TIME_LIMIT', known).by).toEqual(['office'])
  })
  it('does not ask again for what is settled, nor for two cuts of time', () => {
    const settled = { ...usual, by: ['month'], filter: { office: 'hzgl' } }
    expect(drilled(settled, 'month', '2024-03').by).toEqual(['matter_type'])
    expect(drilled({ ...usual, by: ['matter_type', 'year'] }, 'matter_type', 'will').by).toEqual(['year'])
  })
})

describe('a kept table', () => {
  it('is named after its whole period, so that two halves are two files', () => {
    expect(fileName({ ...usual, from: '2024-Q1', to: '2024-Q2' })).toBe('统计分析 2024-Q1–2024-Q2')
    expect(fileName({ ...usual, from: '2024', to: '2024' })).toBe('统计分析 2024')
    expect(fileName({ ...usual, from: '2024-Q1' })).toBe('统计分析 2024-Q1–今')
    expect(fileName(usual)).toBe('统计分析')
  })
})

describe('a period', () => {
  it.each(['2024-13', '2024Q1', '24', '2024-02-30', '2024-H3'])('is refused as %s', (text) => {
    expect(periodMistake(text, '')).toContain(text)
    expect(periodMistake('', text)).toContain(text)
  })
  it.each([['2024', '2024-Q1'], ['2024-03-15', '2024-03'], ['2024-03', '2024-03-15'], ['', '2024-H1'], ['2023-H2', '2024']])(
    'may go from %s to %s',
    (from, to) => expect(periodMistake(from, to)).toBeNull(),
  )
  it.each([['2024-Q2', '2024-Q1'], ['2025', '2024-12'], ['2024-03-20', '2024-03-15']])('does not go from %s to %s', (from, to) =>
    expect(periodMistake(from, to)).toContain('不得早于'),
  )
})
