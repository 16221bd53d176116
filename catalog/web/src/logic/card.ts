/** The content of a card as elements of the page. */
import { sanitised } from '../trusted'

/** Headings of a card are below the heading of their section, which has the second level. */
const LEVELS = 2

/**
 * From HTML that the server has sanitised. The page loads nothing from other servers: an image is a link to it. A link
 * leads to another server or to a heading of the card.
 */
export function cardContent(html: string): DocumentFragment {
  const { body: content } = new DOMParser().parseFromString(sanitised(html), 'text/html')
  // Before it becomes part of the page, which would load the images.
  for (const image of content.querySelectorAll('img')) image.replaceWith(linkTo(image))
  const headings = new Map<string, Element>()
  for (const heading of content.querySelectorAll('h1, h2, h3, h4, h5, h6')) {
    heading.ariaLevel = String(Math.min(6, Number(heading.tagName.slice(1)) + LEVELS))
    const anchor = anchorOf(heading.textContent ?? '')
    if (!headings.has(anchor)) headings.set(anchor, heading)
  }
  for (const link of content.querySelectorAll('a')) {
    const address = link.getAttribute('href') ?? ''
    const heading = address.startsWith('#') ? headings.get(decoded(address.slice(1))) : undefined
    if (heading) {
      link.addEventListener('click', (event) => {
        event.preventDefault() // the address is that of the view
        heading.scrollIntoView()
      })
    } else if (!/^(https?|mailto):/i.test(address)) link.removeAttribute('href')
  }
  const fragment = document.createDocumentFragment()
  fragment.append(...content.childNodes)
  return fragment
}

/** The anchor of a heading, as GitHub and Hugging Face have it. */
export const anchorOf = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-')

function decoded(anchor: string): string {
  try {
    return decodeURIComponent(anchor)
  } catch {
    return anchor
  }
}

function linkTo(image: HTMLImageElement): Node {
  const address = image.getAttribute('src') ?? ''
  const text = image.alt || address
  if (image.closest('a') || !/^https?:/i.test(address)) return document.createTextNode(text)
  const link = document.createElement('a')
  link.href = address
  link.rel = 'noopener noreferrer nofollow'
  link.textContent = text
  return link
}
