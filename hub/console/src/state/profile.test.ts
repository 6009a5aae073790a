import { describe, expect, it } from 'vitest'
import type { Catalogue } from './catalogue'
import type { Answers } from './filing'
import { answersOf, fieldsOf, mistakes, profileOf, type Profile } from './profile'

const codes = {
  districts: [{ code: '330100', name_zh: '杭州市' }, { code: '330106', name_zh: '西湖区' }],
  matter_types: [{ code: 'will', name_zh: '遗嘱' }],
} as Catalogue
const onFile: Profile = {
  licence_no: '3301-01', practice_area: ['3301', '33'], matters_excluded: ['will'], foreign_allowed: true, keeps_approval: false,
  address: '某路 1 号', telephone: '', opening_hours: '周一至周五', complaint_line: '12348', services: '继承\n遗嘱', data_steward: '甲',
  notaries: [
    { licence_no: 'N1', name: '甲', title: '公证员', active: true },
    { licence_no: 'N2', name: '乙', title: '公证员', active: false },
  ],
}

describe('what is on file of an office', () => {
  const fields = fieldsOf(codes, onFile)

  it('is sent as it was when nothing is changed, line by line and code by code', () => {
    expect(profileOf(fields, answersOf(onFile), onFile.services)).toEqual(onFile)
  })

  it('has no licence when none is written', () => {
    const answers = { ...answersOf({ ...onFile, licence_no: null }), licence_no: ' ' }
    expect(profileOf(fields, answers, '').licence_no).toBeNull()
  })

  it('offers areas by name, and keeps one that no list knows', () => {
    const area = fields.find(({ name }) => name === 'practice_area')?.input
    expect(area).toMatchObject({ options: [{ code: '3301', name_zh: '杭州市' }, { code: '330106' }, { code: '33', name_zh: '33' }] })
  })

  it('has each notary once, with licence and name', () => {
    const answers = answersOf(onFile)
    expect(mistakes(fields, answers)).toEqual({})
    const [first, second] = answers['notaries'] as Answers[]
    answers['notaries'] = [first!, { ...second!, notary_no: ' N1 ', name: '' }]
    expect(Object.keys(mistakes(fields, answers)).sort()).toEqual(['notaries[1].name', 'notaries[1].notary_no'])
  })
})
