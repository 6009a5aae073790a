import { expect, test } from 'vitest'
import { Problem } from '@/api/client'
import type { Catalogue } from '@/state/catalogue'
import { asked, clear, numberFault, question, refusal, unfindable, unnamed, type CheckForm } from '@/state/check'

const code = (code: string, name_zh: string) => ({ code, name_zh })
const codes = {
  matter_types: [code('inheritance', '继承')],
  party_roles: [code('applicant', '申请人'), code('decedent', '被继承人')],
  subject_kinds: [code('real_estate_certificate', '不动产权证')],
} as unknown as Catalogue

function form(): CheckForm {
  return {
    purpose: 'before_acceptance',
    reference: ' 2026-0815 ',
    matter: 'inheritance',
    place: '',
    intent: false,
    parties: [
      { ...unnamed('applicant'), byName: true, name: ' 章国强 ' },
      unnamed('applicant'),
      { ...unnamed('decedent'), number: '11010519491231002X ' },
    ],
    subjects: [{ kind: 'real_estate_certificate', number: '浙2024第0001234号' }, { kind: 'real_estate_certificate', number: '' }],
  }
}

test('an answer says for whom, in which matter, why and for which case it is, and no whole number', () => {
  const said = asked(form(), codes, new Date(0))
  expect(said).toEqual({
    matter: '继承',
    purpose: '受理前查重',
    reference: '2026-0815',
    people: ['…002X', '章国强'],
    parties: ['被继承人 …002X', '申请人 章国强'],
    subjects: ['不动产权证 …234号'],
    intent: false,
    at: '1970-01-01T00:00:00.000Z',
  })
})

test('what is blank is not sent, and nothing at all is no question', () => {
  expect(question(form())?.parties).toHaveLength(1)
  expect(question(form())?.persons).toEqual([{ role: 'applicant', name: '章国强' }])
  expect(question({ ...form(), parties: [unnamed('applicant')], subjects: [] })).toBeNull()
})

test('a resident number that was refused is told what is wrong with it', () => {
  expect(numberFault('resident_id', '1234')).toContain('4 位')
  expect(numberFault('resident_id', '11010519491231O02X')).toContain('只能')
  expect(numberFault('resident_id', '110105194913310020')).toContain('出生日期')
  expect(numberFault('resident_id', '110105194912310021')).toContain('校验码')
  expect(numberFault('resident_id', '１１０１０５194912310021')).toContain('校验码')
  expect(numberFault('resident_id', '11010519491231002x')).toBeNull()
  expect(numberFault('resident_id', '110105491231002')).toBeNull()
  expect(numberFault('passport', '1234')).toBeNull()
})

test('the refusal names the party among those that have a number', () => {
  const wrong = form()
  wrong.parties[2]!.number = '1234'
  const problem = new Problem(400, 'FIELD_INVALID', '第 1 个当事人的证件号码有误，请核对。', 'parties[0].number')
  expect(refusal(problem, wrong)).toMatch(/^第 1 个.*4 位.*按姓名比对/)
  expect(refusal(new Problem(400, 'FIELD_INVALID', '别的', 'persons[0].name'), wrong)).toBe('别的')
})

test('the next question keeps nothing of the last client, not even where the certificate is to be used', () => {
  const used = { ...form(), place: 'JP', intent: true }
  clear(used, 'decedent')
  expect(used).toEqual({
    ...form(),
    reference: '',
    place: '',
    intent: false,
    parties: [unnamed('decedent')],
    subjects: [{ kind: 'real_estate_certificate', number: '' }, { kind: 'real_estate_certificate', number: '' }],
  })
})

test('an intent is registered before acceptance alone', () => {
  expect(question(form())).not.toHaveProperty('intent')
  expect(question({ ...form(), intent: true })?.intent).toBe('register')
  expect(question({ ...form(), intent: true, purpose: 'verifying_case' })).not.toHaveProperty('intent')
})

test('a name alone is marked before it is sent, unless somebody with a number stands beside', () => {
  const alone = form()
  expect(unfindable(alone)).toBeNull()
  alone.parties.pop()
  expect(unfindable(alone)).toMatchObject({ field: 'persons[0].birth' })
  expect(unfindable(alone)?.message).toContain('电话')
  alone.parties[0]!.phone = '13800000000'
  expect(unfindable(alone)).toBeNull()
})

test('a refusal says when to come back', () => {
  const spent = new Problem(429, 'RATE_LIMITED', '请求过于频繁。', null, 8)
  expect(refusal(spent, form())).toBe('请求过于频繁。请在 8 秒后重试。')
})
