import { expect, test } from 'vitest'
import { fromAddress, told } from '@/state/audit'

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
