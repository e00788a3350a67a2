/* SPDX-License-Identifier: MIT */
/* Options about boards as text: a file becomes a machine type, a machine becomes a file. */
#include "options/board-int.h"
#include "options/options-int.h"

bool option_apply_board(OptionPlan *plan, OptionWord *word, GError **errp)
{
    Board *board = board_parse(word->arg, board_read_file, NULL, errp);

    (void)plan;
    return board && board_register(board, errp);
}

bool option_apply_dump_board(OptionPlan *plan, OptionWord *word, GError **errp)
{
    (void)word;
    (void)errp;
    plan->dump_board = true;
    return true;
}

void option_dump_board(OptionPlan *plan)
{
    g_autoptr(Board) board = NULL;
    g_autofree char *text = NULL;

    if (plan->dump_board) {
        board = board_dump(plan->machine);
        text = board_print(board);
        fputs(text, stdout);
        plan->answered = true;
    }
}
