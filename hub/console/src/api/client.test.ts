import { expect, test } from 'vitest'
import { fieldName, Problem } from '@/api/client'
import { zh } from '@/text/zh'

const refused = (field: string | null, detail_zh: string = zh.problem.someField) =>
  Problem.of(new Response(null, { status: 400 }), { reason: 'FIELD_INVALID', detail_zh, field } as never).message

test('a refusal of a field names the field in Chinese', () => {
  expect(refused('from')).toBe('字段「期间起」缺失或不合规，请更正后重试。')
  expect(refused('persons[1].birth')).toContain('第 2 项的出生日期')
})

test('a refusal that says itself what is wrong keeps its words', () => {
  expect(refused('parties[0].number', '第 1 个当事人的证件号码有误，请核对。')).toBe('第 1 个当事人的证件号码有误，请核对。')
  expect(refused(null)).toBe(zh.problem.someField)
})

test('a field without a name here is shown as it came', () => {
  expect(fieldName('unheard_of')).toBe('unheard_of')
})
