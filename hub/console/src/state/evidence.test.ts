import { describe, expect, it } from 'vitest'
import type { Catalogue } from './catalogue'
import { factName, factText, inOrder } from './evidence'

const codes = {
  matter_types: [{ code: 'will', name_zh: '遗嘱' }],
  foreign_relations: [{ code: 'domestic', name_zh: '国内' }],
  case_states: [{ code: 'revoked', name_zh: '已撤销' }],
} as unknown as Catalogue

describe('a fact that a finding rests on', () => {
  it('is told by name, whatever list its code is of', () => {
    const said = Object.entries({ matter_type: 'will', state: 'revoked', wanted: 'refusal', reason_code: 'falsehood', not_licensed: 'matter_type' })
    expect(said.map(([name, code]) => factText(name, code, codes))).toEqual([
      '遗嘱', '已撤销', '拒绝受理报备', '虚构、隐瞒事实或者提供虚假证明材料', '公证事项',
    ])
  })
  it('is money, how many parties there are or a place among the parties', () =>
    expect([factText('min_fen', 40_000, codes), factText('parties', 12, codes), factText('party', 0, codes)]).toEqual([
      '400.00 元', '12 人', '第 1 位',
    ]))
  it('may be several, with what is said of each', () => {
    expect(factText('real_estate', ['330106', '330108'], codes)).toBe('330106、330108')
    expect(factText('parties', [{ party: 1, relation: 'spouse' }, { party: 2, relation: 'child' }], codes)).toBe('第 2 位（配偶）、第 3 位（子女）')
  })
  it('stands where it is looked for, and behind the others when it is new', () =>
    expect(inOrder({ closed_on: '', new_fact: '', due_on: '', received_on: '' }).map(([name]) => name)).toEqual([
      'received_on', 'due_on', 'closed_on', 'new_fact',
    ]))
  it('is a dash where there is none, and stands as it came where nobody named it', () => {
    expect([null, '', []].map((value) => factText('approved_on', value, codes))).toEqual(['—', '—', '—'])
    expect([factName('new_fact'), factText('new_fact', 'new', codes), factText('state', 'new', codes)]).toEqual(['new_fact', 'new', 'new'])
  })
})
