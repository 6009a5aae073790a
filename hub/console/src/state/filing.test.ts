import { describe, expect, it } from 'vitest'
import { blanks, filled, isDay, sent, told, toldWhole, wrongs, type Field, type Form } from './filing'

const field = (name: string, input: object, required = true): Field => ({ name, label_zh: name, required, input }) as Field
const fields = [
  field('on', { input: 'day' }),
  field('period', { input: 'period' }),
  field('asked', { input: 'count', most: 100 }),
  field('answers', { input: 'counts', labels_zh: ['不满意', '满意'], most: 100 }),
  field('grounds', { input: 'choices', options: [{ code: 'a', name_zh: '甲' }] }, false),
  field('subject', { input: 'choice', options: [{ code: 'fee', name_zh: '收费' }] }),
  field('matter', { input: 'matter' }, false),
  field('moves', { input: 'rows', most: 9, columns: [field('series', { input: 'text', most: 9 }, false), field('no', { input: 'count', most: 9 })] }),
]
const deadline = { period: { first_day: '2024-01-01', last_day: '2024-03-31' } } as Form['deadline']

describe('a filing', () => {
  it('begins with the period that is over, and says of every field that is needed what is missing', () => {
    const answers = blanks(fields, deadline)
    expect(answers['period']).toEqual({ first_day: '2024-01-01', last_day: '2024-03-31' })
    expect(Object.keys(wrongs(fields, answers))).toEqual(['on', 'asked', 'answers', 'subject', 'moves[0].no'])
  })

  it('wants whole numbers, and a period that does not end before it begins', () => {
    const answers = { ...blanks(fields, deadline), asked: '1.5', period: { first_day: '2024-03-31', last_day: '2024-03-01' } }
    expect(wrongs(fields, answers)).toMatchObject({ asked: 'asked应为整数。', period: '期间的末日不得早于首日。' })
  })

  it('wants days of the calendar', () => {
    expect(['2024-02-29', '2023-02-29', '2024-2-9', '24.02.2024', '2024-02-29x'].map(isDay)).toEqual([true, false, false, false, false])
    expect(wrongs([field('on', { input: 'day' })], { on: '2024-02-31' })).toEqual({ on: 'on应为日期，如 2026-11-26。' })
  })

  it('says of an item that is wanted for each notary how many there are', () => {
    const items = { a: { answer: 'per_notary', value: '5', notaries: '6', evidence: ' 台账 ' }, b: { answer: 'yes', value: '', notaries: '', evidence: '' } }
    expect(sent([field('items', { input: 'window' })], { items })).toEqual({
      items: [
        { item: 'a', answer: 'per_notary', value: 5, notaries: 6, evidence: '台账' },
        { item: 'b', answer: 'yes', evidence: '' },
      ],
    })
  })

  it('is sent as the hub takes it: numbers as numbers, and nothing for what was left out', () => {
    const answers = {
      on: '2024-06-03', period: { first_day: '2024-01-01', last_day: '2024-03-31' }, asked: '10', answers: ['1', '9'], grounds: ['a'],
      subject: 'fee', matter: '', moves: [{ series: ' ', no: '7' }],
    }
    expect(wrongs(fields, answers)).toEqual({})
    const body = sent(fields, answers)
    expect(body).toEqual({
      on: '2024-06-03', period: { first_day: '2024-01-01', last_day: '2024-03-31' }, asked: 10, answers: [1, 9], grounds: ['a'], subject: 'fee',
      moves: [{ no: 7 }],
    })
    expect(sent(fields, filled(fields, body))).toEqual(body)
    expect(told({ fields } as Form, body, [])).toEqual([
      'on：2024-06-03', 'period：2024-01-01 至 2024-03-31', 'asked：10', 'answers：不满意 1，满意 9', 'grounds：甲', 'subject：收费', 'moves：1 条',
    ])
    expect(toldWhole({ fields } as Form, body, []).at(-1)).toBe('moves 1：no：7')
  })
})
