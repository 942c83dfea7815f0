"""The map of the product."""

from django.contrib import admin
from django.urls import include, path

from chat.views import messages
from chat.views import sessions as chats
from config import health
from config.api import api
from generation.views import (
    bin,  # noqa: A004 the word of the house
    comments,
    documents,
    edits,
    folders,
    history,
    home,
    issues,
    learning,
    new,
    portfolios,
    queue,
    runs,
    sections,
    streams,
    tries,
)
from memory.views import invitations, people, profile, workspaces

urlpatterns = [
    # Documents
    path("", home.home, name="home"),
    path("documents/<uuid:document_id>/", documents.document, name="document"),
    path("documents/<uuid:document_id>/pieces/", documents.pieces, name="pieces"),
    path("documents/<uuid:document_id>/actions/<slug:action>/", documents.act, name="act"),
    path("documents/<uuid:document_id>/move/", home.move, name="move"),
    path("documents/<uuid:document_id>/bin/", bin.put, name="bin_put"),
    path("documents/<uuid:document_id>/unbin/", bin.take_out, name="bin_take_out"),
    path("sections/<uuid:section_id>/", documents.section, name="section"),
    path("sections/<uuid:section_id>/retry/", documents.retry_section, name="retry_section"),
    path("diagrams/<slug:digest>.svg", streams.diagram, name="diagram"),
    # Learning
    path("evaluations/<uuid:section_id>/", learning.evaluation, name="evaluation"),
    path("sections/<uuid:section_id>/begin/", learning.begin, name="attempt_begin"),
    path("sections/<uuid:section_id>/exercise/", learning.exercise, name="exercise"),
    path("sections/<uuid:section_id>/complete/", learning.complete, name="complete"),
    path("attempts/<uuid:attempt_id>/", learning.attempt, name="attempt"),
    path("attempts/<uuid:attempt_id>/answers/", learning.answer, name="attempt_answer"),
    path("attempts/<uuid:attempt_id>/finish/", learning.finish, name="attempt_finish"),
    path("attempts/<uuid:attempt_id>/grade/", learning.grade, name="attempt_grade"),
    # A new document
    path("new/", new.new, name="new"),
    path("new/files/", new.file, name="new_file"),
    path("new/<slug:kind>/", new.new, name="new_kind"),
    path("new/<slug:kind>/by-hand/", new.by_hand, name="new_by_hand"),
    path("new/<slug:kind>/estimate/", new.estimate, name="new_estimate"),
    # Folders and the bin
    path("folders/", folders.make, name="folder_make"),
    path("folders/<uuid:folder_id>/", folders.folder, name="folder"),
    path("folders/<uuid:folder_id>/rename/", folders.rename, name="folder_rename"),
    path("folders/<uuid:folder_id>/remove/", folders.remove, name="folder_remove"),
    path("bin/", bin.binned, name="bin"),
    path("workspaces/<uuid:workspace_id>/bin/empty/", bin.empty, name="bin_empty"),
    # Changing
    path("documents/<uuid:document_id>/edit/", edits.edit_document, name="edit_document"),
    path("documents/<uuid:document_id>/status/", sections.document_status, name="document_status"),
    path("documents/<uuid:document_id>/sections/", sections.add_section, name="add_section"),
    path("sections/<uuid:section_id>/edit/", edits.edit_section, name="edit_section"),
    path("sections/<uuid:section_id>/tools/", sections.section_tools, name="section_tools"),
    path("sections/<uuid:section_id>/trace/", sections.trace, name="trace"),
    path("sections/<uuid:section_id>/move/", sections.move_section, name="move_section"),
    path("sections/<uuid:section_id>/remove/", sections.remove_section, name="remove_section"),
    path("sections/<uuid:section_id>/lock/", sections.lock_section, name="lock_section"),
    path("sections/<uuid:section_id>/unlock/", sections.unlock_section, name="unlock_section"),
    path("sections/<uuid:section_id>/approve/", sections.approve_section, name="approve_section"),
    path("preview/", edits.preview, name="preview"),
    # Portfolios
    path("documents/<uuid:document_id>/cases/<uuid:case_id>/move/", portfolios.move_case, name="move_case"),
    path("documents/<uuid:document_id>/thresholds/", portfolios.thresholds, name="thresholds"),
    # History
    path("documents/<uuid:document_id>/history/", history.history_page, name="history"),
    path("documents/<uuid:document_id>/last-change/", history.latest, name="last_change"),
    path("changes/<uuid:change_id>/", history.change, name="change"),
    path("changes/<uuid:change_id>/undo/", history.undo_change, name="undo_change"),
    path("groups/<uuid:group_id>/undo/", history.undo_group, name="undo_group"),
    path("snapshots/<uuid:snapshot_id>/restore/", history.restore, name="restore"),
    path("proposals/<uuid:proposal_id>/accept/", history.accept_proposal, name="accept_proposal"),
    path("proposals/<uuid:proposal_id>/reject/", history.reject_proposal, name="reject_proposal"),
    path("issues/<uuid:issue_id>/decide/", issues.decide, name="decide_issue"),
    # Comments
    path("comments/", comments.mine, name="my_comments"),
    path("comments/unread/", comments.unread, name="comments_unread"),
    path("documents/<uuid:document_id>/comments/", comments.of_document, name="comments"),
    path("documents/<uuid:document_id>/members/", comments.members, name="members"),
    path("threads/<uuid:thread_id>/", comments.thread, name="thread"),
    path("threads/<uuid:thread_id>/reply/", comments.reply, name="thread_reply"),
    path("threads/<uuid:thread_id>/close/", comments.close, name="thread_close"),
    path("threads/<uuid:thread_id>/reopen/", comments.reopen, name="thread_reopen"),
    path("threads/<uuid:thread_id>/assign/", comments.assign, name="thread_assign"),
    path("comments/<uuid:comment_id>/edit/", comments.edit_comment, name="comment_edit"),
    path("comments/<uuid:comment_id>/delete/", comments.delete_comment, name="comment_delete"),
    # Work
    path("queue/", queue.queue, name="queue"),
    path("queue/dock/", queue.dock, name="queue_dock"),
    path("runs/<uuid:run_id>/", runs.run, name="run"),
    path("runs/<uuid:run_id>/cancel/", runs.cancel, name="cancel_run"),
    path("runs/<uuid:run_id>/retry/", runs.retry, name="retry_run"),
    path("runs/<uuid:run_id>/answer/", runs.answer, name="answer_run"),
    # Conversations
    path("chat/", chats.chat, name="chat"),
    path("chat/dock/", chats.dock, name="chat_dock"),
    path("chat/offered/", chats.offered, name="chat_offered"),
    path("chat/send/", messages.send, name="chat_send"),
    path("chat/shared/<uuid:secret>/", chats.shared, name="chat_shared"),
    path("chat/<uuid:session_id>/", chats.session, name="chat_session"),
    path("chat/<uuid:session_id>/change/", chats.change, name="chat_change"),
    path("chat/<uuid:session_id>/fork/", chats.fork, name="chat_fork"),
    path("chat/<uuid:session_id>/share/", chats.share, name="chat_share"),
    path("chat/<uuid:session_id>/context/", chats.link, name="chat_link"),
    path("chat/<uuid:session_id>/context/<uuid:document_id>/", chats.unlink, name="chat_unlink"),
    path("chat/<uuid:session_id>/delete/", chats.delete, name="chat_delete"),
    path("chat/messages/<uuid:message_id>/", messages.message, name="message"),
    path("chat/messages/<uuid:message_id>/edit/", messages.edit, name="message_edit"),
    path("chat/messages/<uuid:message_id>/regenerate/", messages.regenerate, name="message_regenerate"),
    path("chat/messages/<uuid:message_id>/synthesis/", messages.synthesise, name="message_synthesis"),
    path("chat/messages/<uuid:message_id>/show/", messages.show, name="message_show"),
    path("chat/messages/<uuid:message_id>/withdraw/", messages.withdraw, name="message_withdraw"),
    path("chat/messages/<uuid:message_id>/stop/", messages.stop, name="message_stop"),
    path("chat/messages/<uuid:message_id>/feedback/", messages.think, name="message_feedback"),
    path("chat/messages/<uuid:message_id>/undo/", messages.undo, name="message_undo"),
    # People
    path("sign-in/", people.sign_in, name="sign_in"),
    path("sign-in/<uuid:user_id>/<str:token>/", people.sign_in_link, name="sign_in_link"),
    path("sign-out/", people.sign_out, name="sign_out"),
    path("profile/", profile.profile, name="profile"),
    path("profile/theme/", people.theme, name="theme"),
    path("profile/about/", profile.about, name="profile_about"),
    path("profile/reading/", profile.reading, name="profile_reading"),
    path("profile/password/", profile.password, name="profile_password"),
    path("profile/tokens/", profile.token, name="profile_tokens"),
    path("profile/tokens/<uuid:token_id>/revoke/", profile.revoke, name="token_revoke"),
    # Workspaces and the way into them
    path("workspaces/", workspaces.workspaces, name="workspaces"),
    path("workspaces/<uuid:workspace_id>/", workspaces.workspace, name="workspace"),
    path("workspaces/<uuid:workspace_id>/switch/", workspaces.switch, name="workspace_switch"),
    path("workspaces/<uuid:workspace_id>/rename/", workspaces.rename, name="workspace_rename"),
    path("workspaces/<uuid:workspace_id>/leave/", workspaces.leave, name="workspace_leave"),
    path("workspaces/<uuid:workspace_id>/members/<uuid:user_id>/role/", workspaces.role, name="member_role"),
    path("workspaces/<uuid:workspace_id>/members/<uuid:user_id>/remove/", workspaces.remove, name="member_remove"),
    path("workspaces/<uuid:workspace_id>/invitations/", workspaces.invite, name="invitations"),
    path(
        "workspaces/<uuid:workspace_id>/invitations/<uuid:invitation_id>/revoke/",
        workspaces.revoke_invitation,
        name="invitation_revoke",
    ),
    path("invitations/<str:secret>/", invitations.invitation, name="invitation"),
    path("invitations/<str:secret>/accept/", invitations.accept, name="invitation_accept"),
    path("invitations/<str:secret>/sign-up/", invitations.sign_up, name="invitation_sign_up"),
    # Programs
    path("api/v1/runs/<uuid:run_id>/events", streams.events, name="events"),
    path("api/v1/documents/<uuid:document_id>/export", streams.export, name="export"),
    path("api/v1/prompts/<slug:kind>/<slug:name>/try", tries.attempt, name="try"),
    path("api/", api.urls),
    # Staff
    path("admin/rq/", include("config.queues")),
    path("admin/", admin.site.urls),
    # Machines
    path("health/live", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
    path("metrics", health.metrics, name="metrics"),
]

handler400 = "config.failures.bad_request"
handler403 = "config.failures.forbidden"
handler404 = "config.failures.not_found"
handler500 = "config.failures.broken"
