/// How good a new password is, as far as the browser can tell: by length and variety, as the hub judges it. Which passwords
/// are tried first the hub alone knows.
export const shortest = 12
export const longest = 128
/// How many steps of strength there are.
export const steps = 3

export type Fault = 'short' | 'long' | 'pattern' | 'names'
export interface Strength {
  /// 0 is what would be refused.
  readonly level: 0 | 1 | 2 | 3
  readonly fault: Fault | null
}

/// Fewer different characters than that are a pattern.
const different = 5
const refused = (fault: Fault): Strength => ({ level: 0, fault })

/// `names` are what everybody knows of the account.
export function strengthOf(password: string, names: readonly (string | null | undefined)[]): Strength {
  const characters = [...password]
  if (characters.length < shortest) return refused('short')
  if (characters.length > longest) return refused('long')
  const folded = password.toLowerCase()
  const variety = new Set(folded).size
  if (variety < different || isRow([...folded])) return refused('pattern')
  let left = folded
  for (const name of names) if (name) left = left.split(name.toLowerCase()).join('')
  const counted = [...left].length
  if (counted < shortest) return refused('names')
  if (counted >= 20 && variety >= 10) return { level: 3, fault: null }
  if (counted >= 16 && variety >= 8) return { level: 2, fault: null }
  return { level: 1, fault: null }
}

/// `abcdefghijkl`, `987654321098`: each character beside the one before.
function isRow(characters: string[]): boolean {
  return characters.slice(1).every((character, at) => {
    const pair = [characters[at] ?? '', character]
    const [a = 0, b = 0] = pair.map((one) => one.codePointAt(0) ?? 0)
    return Math.abs(a - b) <= 1 || pair.join('') === '90' || pair.join('') === '09'
  })
}
