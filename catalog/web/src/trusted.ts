/** What the browser demands where trusted types are enforced: a policy for each text that becomes HTML or a script. */

interface Policy {
  createHTML: (text: string) => string
  createScriptURL: (url: string) => string
}

interface Policies {
  createPolicy: (name: string, rules: Policy) => Policy
}

const policy = (globalThis as { trustedTypes?: Policies }).trustedTypes?.createPolicy('catalog', {
  createHTML: (text) => text,
  createScriptURL: (url) => {
    if (new URL(url, location.href).origin !== location.origin) throw new Error(`${url} is not a script of this page`)
    return url
  },
})

/** HTML that the server has sanitised. Nothing else may be given. */
export const sanitised = (html: string): string => policy?.createHTML(html) ?? html

/** The address of a script that was built with the page. */
export const trustedScript = (url: string): string => policy?.createScriptURL(url) ?? url
