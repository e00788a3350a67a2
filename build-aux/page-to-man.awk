# SPDX-License-Identifier: MIT
#
# awk -v name=NAME -v section=N -v about=SENTENCE -v source=PROGRAM -f page-to-man.awk PAGE.md
#
# Writes a page of docs/ as a manual page. It knows what those pages are made of: headings, paragraphs, lists, blocks of
# text between fences or indented, and in a line `code`, *emphasis* and [links](to).

function escape(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    gsub(/'/, "\\(aq", text)
    return text
}

# A line of a block, as it is.
function literal(text) {
    text = escape(text)
    print (text ~ /^\./ ? "\\&" : "") text
}

# A line of a paragraph: code in bold, emphasis in italics, links as their text.
function prose(text,    out, part) {
    while (match(text, /`[^`]*`|\*[^*]+\*|\[[^]]*\]\([^)]*\)/)) {
        part = substr(text, RSTART, RLENGTH)
        out = out escape(substr(text, 1, RSTART - 1))
        text = substr(text, RSTART + RLENGTH)
        if (part ~ /^`/) {
            out = out "\\fB" escape(substr(part, 2, length(part) - 2)) "\\fR"
        } else if (part ~ /^\*/) {
            out = out "\\fI" escape(substr(part, 2, length(part) - 2)) "\\fR"
        } else {
            sub(/^\[/, "", part)
            sub(/\]\(.*/, "", part)
            out = out escape(part)
        }
    }
    out = out escape(text)
    print (out ~ /^\./ ? "\\&" : "") out
}

function begin_block() {
    if (!block) {
        print ".PP\n.RS 4\n.nf"
        block = 1
    }
}

function end_block() {
    if (block) {
        print ".fi\n.RE"
        block = 0
    }
}

# Something else than a further line of a paragraph or of an item comes.
function pause() {
    end_block()
    paragraph = 0
}

BEGIN {
    printf ".TH %s %s \"\" \"%s\" \"\"\n", toupper(escape(name)), section, source
    printf ".SH NAME\n%s \\- %s\n.SH DESCRIPTION\n", escape(name), escape(about)
}

/^```/ {
    if (fenced) {
        end_block()
    } else {
        pause()
        begin_block()
    }
    fenced = !fenced
    next
}
fenced { literal($0); next }
/^<!--/ || /^# / { next }
/^$/ {
    # An empty line in an indented block is one of its lines, if it goes on.
    empty++
    paragraph = 0
    next
}
/^    / && (block || !paragraph) && !item {
    begin_block()
    for (; empty > 0 && block > 1; empty--) {
        print ""
    }
    block = 2
    empty = 0
    literal(substr($0, 5))
    next
}
{ empty = 0 }
/^###? / {
    pause()
    item = 0
    heading = escape(substr($0, index($0, " ") + 1))
    gsub(/"/, "\\(dq", heading)
    print /^## / ? ".SH " toupper(heading) : ".SS " heading
    next
}
/^- / {
    pause()
    print ".IP \\(bu 2"
    item = paragraph = 1
    prose(substr($0, 3))
    next
}
item && /^  / { sub(/^ +/, ""); prose($0); next }
{
    end_block()
    if (!paragraph) {
        print ".PP"
    }
    item = 0
    paragraph = 1
    prose($0)
}
END { end_block() }
