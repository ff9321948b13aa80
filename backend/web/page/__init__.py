"""The phone page `/m/`, for residents without WeChat: a shell in two languages, its modules, its style, its worker.

It knows no resident: whoever is signed in is known to their browser alone, which asks the resident API like any client.
Nothing here comes from elsewhere at run time, and no script stands in the page itself.
"""
