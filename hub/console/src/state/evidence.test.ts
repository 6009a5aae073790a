import { describe, expect, it } from 'vitest'
import { factName, factText, inOrder, type Names } from './evidence'

const names = {
  codes: {
    matter_types: [{ code: 'will', name_zh: '遗嘱' }],
    foreign_relations: [{ code: 'domestic', name_zh: '国内' }],
    case_states: [{ code: 'revoked', name_zh: '已撤销' }],
    districts: [{ code: '330100', name_zh: '杭州市' }, { code: '330106', name_zh: '西湖区' }],
  },
  supervision: {
    filing_kinds: [{ kind: 'refusal', name_zh: '拒绝受理报备' }],
    reason_codes: [{ code: 'falsehood', name_zh: '虚构、隐瞒事实或者提供虚假证明材料' }],
    relations: [{ code: 'spouse', name_zh: '配偶' }, { code: 'child', name_zh: '子女' }],
    facts: ['matter_type', 'received_on', 'due_on', 'closed_on'].map((code) => ({ code, name_zh: code === 'matter_type' ? '公证事项' : code })),
  },
} as unknown as Names

describe('a fact that a finding rests on', () => {
  it('is told by name, whatever list its code is of', () => {
    const said = Object.entries({ matter_type: 'will', state: 'revoked', wanted: 'refusal', reason_code: 'falsehood', not_licensed: 'matter_type' })
    expect(said.map(([name, code]) => factText(name, code, names))).toEqual([
      '遗嘱', '已撤销', '拒绝受理报备', '虚构、隐瞒事实或者提供虚假证明材料', '公证事项',
    ])
  })
  it('is money, how many parties there are or a place among the parties', () =>
    expect([factText('min_fen', 40_000, names), factText('parties', 12, names), factText('party', 0, names)]).toEqual([
      '400.00 元', '12 人', '第 1 位',
    ]))
  it('may be several, with what is said of each', () => {
    expect(factText('real_estate', ['330106', '330203'], names)).toBe('西湖区、330203')
    expect(factText('practice_area', ['3301'], names)).toBe('杭州市')
    expect(factText('parties', [{ party: 1, relation: 'spouse' }, { party: 2, relation: 'child' }], names)).toBe('第 2 位（配偶）、第 3 位（子女）')
  })
  it('stands where it is looked for, and behind the others when it is new', () =>
    expect(inOrder({ closed_on: '', new_fact: '', due_on: '', received_on: '' }, names).map(([name]) => name)).toEqual([
      'received_on', 'due_on', 'closed_on', 'new_fact',
    ]))
  it('is a dash where there is none, and stands as it came where nobody named it', () => {
    expect([null, '', []].map((value) => factText('approved_on', value, names))).toEqual(['—', '—', '—'])
    expect([factName('new_fact', names), factText('new_fact', 'new', names), factText('state', 'new', names)]).toEqual(['new_fact', 'new', 'new'])
  })
})
