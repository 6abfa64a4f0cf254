"""What is said about uploads, and about those that don't go on."""

UPLOADS: dict[str, tuple[str, str]] = {
    "upload.admitted": ("已上传并入库 {recording}", "uploaded and admitted as {recording}"),
    "upload.held": ("服务器上早已持有 {recording}", "the server holds it already, as {recording}"),
    "upload.compared": ("服务器上的摘要与本机一致", "the server's digests are those of the files here"),
    "upload.waiting": ("{why}；{seconds} 秒后继续", "{why}; going on in {seconds} s"),
    "problem.UploadServerUnavailable": ("上传服务器没有应答", "The server to upload to does not answer"),
    "problem.UploadServerUnavailable.mend": ("请核对地址；再运行一次会接着传。", "Check the address; running it again goes on."),
    "problem.UploadRefused": ("服务器拒绝了上传", "The server refuses the upload"),
    "problem.UploadRefused.mend": ("请按服务器给出的原因处理。", "See what the server says."),
    "problem.UploadConflict": ("上传进度不符", "The upload stands elsewhere"),
    "problem.UploadConflict.mend": (
        "请用 HEAD 查询当前进度（Upload-Offset），从那里继续。",
        "Ask for its offset with HEAD and go on from there.",
    ),
    "problem.UploadGone": ("上传已过期", "The upload has expired"),
    "problem.UploadGone.mend": ("请重新创建上传。", "Begin a new upload."),
    "problem.InvalidUpload": ("上传请求有误", "The upload's request is not right"),
    "problem.InvalidUpload.mend": (
        "请对照 tus 1.0.0 协议检查请求头；OPTIONS /v1/uploads 列出支持的扩展。",
        "Check its headers against tus 1.0.0; OPTIONS /v1/uploads lists the extensions.",
    ),
    "problem.UploadBusy": ("上传正被另一请求使用", "Another request uses the upload"),
    "problem.UploadBusy.mend": ("请稍候，待那个请求结束后再试。", "Wait until that one has ended, then try again."),
    "problem.ChecksumMismatch": ("校验和不符", "The checksum does not match"),
    "problem.ChecksumMismatch.mend": (
        "这一块在传输中受损，没有保存；请重新发送。",
        "This chunk was damaged on its way and not kept: send it again.",
    ),
    "problem.WrongUploadVersion": ("tus 协议版本不符", "Another version of tus"),
    "problem.WrongUploadVersion.mend": ("请在请求头中写明 Tus-Resumable: 1.0.0。", "Send the header Tus-Resumable: 1.0.0."),
    "problem.WrongUploadType": ("上传内容的类型不对", "The bytes are of the wrong type"),
    "problem.WrongUploadType.mend": (
        "请以 Content-Type: application/offset+octet-stream 发送。",
        "Send them with Content-Type: application/offset+octet-stream.",
    ),
}
