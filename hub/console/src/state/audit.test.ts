import { expect, test } from 'vitest'
import { codeNames, fromAddress, told } from '@/state/audit'

const named = (key: string, value: string) => (key === 'office' && value === 'hz' ? '杭州公证处' : value)

test('the filters that an address has are read, and nothing else', () => {
  expect(fromAddress({ actor: 'hub', case: '', to: ['2024-01-01'], other: 'x' })).toEqual({ actor: 'hub' })
})

test('details read in Chinese, and a key without a name stays readable', () => {
  expect(told({ office: 'hz', case: 'C-1', rule: null, intact: true, unheard: [1, { step: 'notify' }] }, named)).toEqual([
    { name: '公证处', text: '杭州公证处' },
    { name: '案件', text: 'C-1' },
    { name: '完整', text: '是' },
    { name: 'unheard', text: '1、步骤 notify' },
  ])
})

test('codes among the details read as people call them', () => {
  const codes = { severities: [{ code: 'conflict', name_zh: '冲突' }], matter_types: [], alarm_kinds: [], party_roles: [] }
  const supervision = { filing_kinds: [], finding_states: [], inspection_states: [], finding_steps: [], inspection_acts: [] }
  const rules = [{ rule_id: 'TIME_LIMIT', title_zh: '超过法定期限出具公证书' }]
  const names = codeNames(codes as never, supervision as never, rules as never)
  const read = (key: string, value: string) => names[key]?.[value] ?? value
  expect(told({ severity: 'conflict', rule: 'TIME_LIMIT', step: 'take_in', state: 'confirmed', key: 'open' }, read).map(({ text }) => text))
    .toEqual(['冲突', '超过法定期限出具公证书', '纳入监督问题', '已认定', 'open'])
})
